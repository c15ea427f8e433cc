/* acme_version.h - the version, as User-Agent and the program tell it. */
#ifndef ACME_VERSION_H
#define ACME_VERSION_H

#define ACME_VERSION "0.1.0"

#endif
