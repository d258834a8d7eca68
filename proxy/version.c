/* SPDX-License-Identifier: MIT */
/*
 * version.c - the one place that asks every library its version.
 */
#include "proxy/version.h"

#include <stdio.h>

#include <curl/curl.h>
#include <event2/event.h>
#include <jansson.h>
#include <llhttp.h>
#include <lmdb.h>
#include <openssl/crypto.h>
#include <xxhash.h>
#include <yaml.h>

void
version_print(void)
{
	unsigned xxh = XXH_versionNumber();

	printf("%s\n", VERSION_PRODUCT);
	printf("libevent %s\n", event_get_version());
	printf("llhttp %d.%d.%d\n", LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR,
	    LLHTTP_VERSION_PATCH);
	printf("%s\n", curl_version());
	printf("%s\n", mdb_version(NULL, NULL, NULL));
	printf("xxHash %u.%u.%u\n", xxh / 10000, xxh / 100 % 100, xxh % 100);
	printf("jansson %s\n", jansson_version_str());
	printf("libyaml %s\n", yaml_get_version_string());
	printf("%s\n", OpenSSL_version(OPENSSL_VERSION));
}
