// step_eab DATABASE: puts the key of an external account into the database of a step-ca that does not run: only smallstep's hosted CA
// lets its administrators do so. Prints its id and its secret, base64url. tests/deps.sh builds it.
package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/smallstep/nosql"
)

const (
	id    = "device"
	table = "acme_external_account_keys"
)

// What step-ca keeps of one. A provisioner that is in the configuration file has no id.
type key struct {
	ID            string    `json:"id"`
	ProvisionerID string    `json:"provisionerID"`
	Reference     string    `json:"reference"`
	AccountID     string    `json:"accountID,omitempty"`
	HmacKey       []byte    `json:"key"`
	CreatedAt     time.Time `json:"createdAt"`
	BoundAt       time.Time `json:"boundAt"`
}

func main() {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		log.Fatal(err)
	}
	record, err := json.Marshal(key{ID: id, HmacKey: secret, CreatedAt: time.Now().UTC()})
	if err != nil {
		log.Fatal(err)
	}
	database, err := nosql.New("badgerv2", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	if err := database.CreateTable([]byte(table)); err != nil {
		log.Fatal(err)
	}
	if err := database.Set([]byte(table), []byte(id), record); err != nil {
		log.Fatal(err)
	}
	if err := database.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(id, base64.RawURLEncoding.EncodeToString(secret))
}
