/* patience.c - compiled with the names of NuttX, whose clock is played: a port in use may be one that was closed a moment ago. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <time.h>

#include "acme_sockets.h"

static time_t now;

int played_clock(clockid_t which, struct timespec *at)
{
    (void)which;
    *at = (struct timespec){.tv_sec = now};
    return 0;
}

int main(void)
{
    static struct acme_sockets_listener first, second;
    struct sockaddr_in *at = (struct sockaddr_in *)&first.on.at;
    socklen_t len = sizeof *at;
    bool good = acme_sockets_listener_init(&first, "127.0.0.1", 0) == 0 && first.listener.start(&first) == 1 &&
                getsockname(first.fd, (struct sockaddr *)at, &len) == 0;
    const uint16_t port = ntohs(at->sin_port);

    good = good && acme_sockets_listener_init(&second, "127.0.0.1", port) == 0;
    for (now = 0; now < 100; now++) {
        const int due = now <= 31 ? 0 : ACME_E_LISTEN; /* CONFIG_NET_TCP_WAIT_TIMEOUT is 30 */
        good = good && second.listener.start(&second) == due && second.fd < 0;
    }
    first.listener.stop(&first);
    good = good && second.listener.start(&second) == 1;
    second.listener.stop(&second);
    good =
        good && first.listener.start(&first) == 1 && second.listener.start(&second) == 0; /* it may be another time */
    return good ? 0 : 1;
}
