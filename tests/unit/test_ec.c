/* test_ec.c - the curves TLS uses: multiplication against OpenSSL, and points of a wrong length. */
#include "maker.h"

#include <string.h>

#include "secure/ec.h"

static const struct {
    int curve, nid;
    size_t point, scalar;
} curves[] = {{BR_EC_secp256r1, NID_X9_62_prime256v1, 65, 32}, {BR_EC_secp384r1, NID_secp384r1, 97, 48}};

TEST(multiplication)
{
    assert_int_equal(acme_ec.supported_curves, 1u << BR_EC_secp256r1 | 1u << BR_EC_secp384r1);
    for (int c = 0; c < 2; c++) {
        EC_GROUP *group = EC_GROUP_new_by_curve_name(curves[c].nid);
        for (int i = 0; i < 10; i++) {
            unsigned char x[48], y[48], a[97], b[97], want[97];
            EC_POINT *p = EC_POINT_new(group);
            BIGNUM *bx, *by;

            maker_sys.random(NULL, x, sizeof x);
            maker_sys.random(NULL, y, sizeof y);
            x[0] = y[0] = 0x5a; /* below both orders */
            bx = BN_bin2bn(x, (int)curves[c].scalar, NULL);
            by = BN_bin2bn(y, (int)curves[c].scalar, NULL);
            EC_POINT_mul(group, p, bx, NULL, NULL, NULL);
            EC_POINT_point2oct(group, p, POINT_CONVERSION_UNCOMPRESSED, want, sizeof want, NULL);
            assert_int_equal(acme_ec.mulgen(a, x, curves[c].scalar, curves[c].curve), curves[c].point);
            assert_memory_equal(a, want, curves[c].point);

            memcpy(b, a, sizeof a);
            EC_POINT_mul(group, p, NULL, p, by, NULL);
            EC_POINT_point2oct(group, p, POINT_CONVERSION_UNCOMPRESSED, want, sizeof want, NULL);
            assert_int_equal(acme_ec.mul(b, curves[c].point, y, curves[c].scalar, curves[c].curve), 1);
            assert_memory_equal(b, want, curves[c].point);

            EC_POINT_mul(group, p, bx, p, by, NULL);
            EC_POINT_point2oct(group, p, POINT_CONVERSION_UNCOMPRESSED, want, sizeof want, NULL);
            assert_int_equal(
                acme_ec.muladd(b, NULL, curves[c].point, y, curves[c].scalar, x, curves[c].scalar, curves[c].curve),
                1);
            assert_memory_equal(b, want, curves[c].point);
            EC_POINT_free(p);
            BN_free(bx);
            BN_free(by);
        }
        EC_GROUP_free(group);
    }
}

TEST(wrong_lengths)
{
    static const unsigned char one[48] = {[31] = 1};
    size_t len;

    for (int c = 0; c < 2; c++) {
        for (size_t n = 0; n <= 140; n++) {
            unsigned char point[140] = {0};
            memcpy(point, acme_ec.generator(curves[c].curve, &len), curves[c].point);
            assert_int_equal(len, curves[c].point);
            if (n != len) {
                assert_int_equal(acme_ec.mul(point, n, one, 32, curves[c].curve), 0);
                assert_int_equal(acme_ec.muladd(point, NULL, n, one, 32, one, 32, curves[c].curve), 0);
            }
        }
        assert_int_equal(acme_ec.mul((unsigned char[97]){4}, curves[c].point, one, 32, curves[c].curve), 0);
    }
}
