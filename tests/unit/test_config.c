/* SPDX-License-Identifier: MIT */
/*
 * test_config.c - configurations right and wrong, and what is said of them.
 */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "config/access.h"
#include "config/keyring.h"
#include "config/load.h"
#include "config/tls.h"
#include "tests/unit/tempdir.h"

#define SAID_MAX	((size_t)64 << 10)
#define UP		"upstreams: {up: {url: 'http://up'}}\n"
#define SUM_A		"sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SUM_B		"sha256:ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define SUM_C		"sha256:0000000000000000000000000000000000000000000000000000000000000000"

static void
note(void *arg, const char *line)
{
	assert_int_equal(buf_addf(arg, "%s\n", line), 0);
}

/* Load TEXT from a file called t.yaml; what was said of it goes to SAID. */
static int
load(const char *text, struct buf *said, struct config **ret_config)
{
	struct tempdir dir;
	FILE *f;
	int r;

	tempdir_make(&dir);
	f = fopen(tempdir_file(&dir, "t.yaml"), "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	buf_init(said, SAID_MAX);
	r = config_load(dir.file, note, said, ret_config);
	tempdir_remove(&dir);
	return r;
}

static void
a_whole_configuration_is_read(void **state)
{
	struct config *c;
	struct buf said;

	(void)state;
	setenv("A_TOKEN", "sekrit\n", 1);
	assert_int_equal(load("listen: [127.0.0.1:0, '[::1]:80', unix:/run/x]\n"
	    "workers: 3\nmax_body: 1MB\ndrain_timeout: 5s\nca_file: /ca\n"
	    "log: {level: debug, access: true, slow: 2s}\ncache: {path: /c, size: 1GB, ttl: 2h}\n"
	    "upstreams:\n"
	    "  a: {url: 'https://a/x', token: {env: A_TOKEN}, token_header: x-key, compute: gpu,\n"
	    "      ca_file: /ca2, timeouts: {connect: 1s, first_byte: 2s, idle: 3s, total: 4s}}\n"
	    "  b: {url: 'unix:/run/b', token: {client: true}}\n"
	    "  c: {url: 'http://c', tokens: [{value: one}, {env: A_TOKEN}]}\n"
	    "routes:\n"
	    "  - {model: ['t5-*', m], path: /x/*, dialect: hf, to: [b, a], rewrite_model: n,\n"
	    "     cache: false}\n"
	    "  - {to: a, cache: {ttl: 7d}}\n", &said, &c), 0);
	assert_string_equal(c->peers.listen[1].address, "[::1]:80");
	assert_int_equal(c->peers.n_listen, 3);
	assert_int_equal(c->workers, 3);
	assert_int_equal(c->max_body, 1 << 20);
	assert_int_equal(c->drain_timeout, 5 * USEC_PER_SEC);
	assert_string_equal(c->log.level, "debug");
	assert_true(c->log.access & ACCESS_BIT(ACCESS_ID));
	assert_false(c->log.access & ACCESS_BIT(ACCESS_CLIENT));
	assert_string_equal(c->log.format, "text");
	assert_int_equal(c->log.slow, 2 * USEC_PER_SEC);
	assert_int_equal(c->cache.size, 1 << 30);
	assert_int_equal(c->n_upstreams, 3);
	assert_int_equal(c->upstreams[2].n_tokens, 2);
	assert_true(bytes_eq_str(secret_reveal(c->upstreams[2].tokens[0]), "one"));
	assert_true(bytes_eq_str(secret_reveal(c->upstreams[2].tokens[1]), "sekrit"));
	assert_string_equal(c->upstreams[0].name, "a");
	assert_true(bytes_eq_str(secret_reveal(c->upstreams[0].tokens[0]), "sekrit"));
	assert_int_equal(c->upstreams[0].timeouts.total, 4 * USEC_PER_SEC);
	assert_int_equal(c->upstreams[1].timeouts.connect, 10 * USEC_PER_SEC);
	assert_true(c->upstreams[1].token_client);
	assert_string_equal(c->routes[0].models[1], "m");
	assert_int_equal(c->routes[0].to[0], 1);
	assert_int_equal(c->routes[0].n_to, 2);
	assert_false(c->routes[0].cache.is_used);
	assert_string_equal(c->routes[1].models[0], "*");
	assert_true(c->routes[1].cache.is_used);
	assert_int_equal(c->routes[1].cache.ttl, 7 * 24 * 3600 * USEC_PER_SEC);
	assert_int_equal(buf_len(&said), 0);
	config_unref(config_ref(c));
	config_unref(c);
}

static void
a_list_says_what_is_in_the_access_log(void **state)
{
	struct config *c;
	struct buf said;

	(void)state;
	assert_int_equal(load(UP "log: {access: [ms, id, ms], format: json}\n", &said, &c), 0);
	assert_int_equal(c->log.access, ACCESS_BIT(ACCESS_ID) | ACCESS_BIT(ACCESS_MS));
	assert_string_equal(c->log.format, "json");
	assert_int_equal(c->log.slow, 0);
	config_unref(c);
	assert_int_equal(load(UP "log: {access: [id, mss]}\n", &said, &c), CONFIG_E_WRONG);
	assert_non_null(memmem(said.mem, buf_len(&said), "\"mss\" is none of: id method ", 28));
	buf_done(&said);
}

static void
checks_are_read(void **state)
{
	struct config *c;
	struct buf said;

	(void)state;
	assert_int_equal(load("upstreams:\n"
	    "  a: {url: 'http://a', health: /health every 2s}\n"
	    "  b: {url: 'http://b', health: /}\n"
	    "  c: {url: 'http://c'}\n"
	    "routes: [{to: [a, b, c]}]\n", &said, &c), 0);
	assert_string_equal(c->upstreams[0].health.path, "/health");
	assert_int_equal(c->upstreams[0].health.every, 2 * USEC_PER_SEC);
	assert_string_equal(c->upstreams[1].health.path, "/");
	assert_int_equal(c->upstreams[1].health.every, 10 * USEC_PER_SEC);
	assert_null(c->upstreams[2].health.path);
	config_unref(c);
}

static void
revisions_are_told_or_asked_for(void **state)
{
	struct config *c;
	struct buf said;

	(void)state;
	assert_int_equal(load("upstreams:\n"
	    "  a: {url: 'http://a', revision: v1}\n"
	    "  b: {url: 'http://b', revision: {probe: /info}}\n"
	    "routes: [{to: a, revision: {probe: /props, every: 5s}}, {to: b}]\n", &said, &c), 0);
	assert_string_equal(c->upstreams[0].revision.text, "v1");
	assert_null(c->upstreams[0].revision.probe.path);
	assert_null(c->upstreams[1].revision.text);
	assert_string_equal(c->upstreams[1].revision.probe.path, "/info");
	assert_int_equal(c->upstreams[1].revision.probe.every, 10 * USEC_PER_SEC);
	assert_string_equal(c->routes[0].revision.probe.path, "/props");
	assert_int_equal(c->routes[0].revision.probe.every, 5 * USEC_PER_SEC);
	assert_null(c->routes[1].revision.text);
	assert_null(c->routes[1].revision.probe.path);
	config_unref(c);
}

static void
teams_and_their_keys_are_read(void **state)
{
	char sum[KEYRING_SUM_LEN];
	struct config *c;
	struct buf said;

	(void)state;
	assert_int_equal(load(UP "teams:\n"
	    "  a: {key: '" SUM_A "', keys: ['" SUM_B "'], expires: 2027-01-31,\n"
	    "      models: [m, 'n-*'], deny: n-1, namespace: team, controls: false}\n"
	    "  b-2: {keys: '" SUM_C "'}\n"
	    "routes: [{team: [b-2, a], to: up}, {team: a, to: up}, {to: up}]\n", &said, &c), 0);
	assert_int_equal(c->n_teams, 2);
	assert_string_equal(c->teams[0].name, "a");
	assert_int_equal(c->teams[0].n_keys, 2);
	assert_int_equal(c->teams[0].expires, 1801440000 * USEC_PER_SEC);
	assert_string_equal(c->teams[0].models[1], "n-*");
	assert_string_equal(c->teams[0].deny[0], "n-1");
	assert_string_equal(c->teams[0].namespace, "team");
	assert_false(c->teams[0].controls);
	assert_int_equal(c->teams[1].expires, 0);
	assert_null(c->teams[1].models);
	assert_null(c->teams[1].deny);
	assert_string_equal(c->teams[1].namespace, "shared");
	assert_true(c->teams[1].controls);
	assert_int_equal(c->routes[0].n_teams, 2);
	assert_int_equal(c->routes[0].teams[0], 1);
	assert_int_equal(c->routes[1].n_teams, 1);
	assert_int_equal(c->routes[2].n_teams, 0);
	assert_true(keyring_parse(BYTES_LIT(SUM_B), sum));
	assert_ptr_equal(config_team_find(c, sum), &c->teams[0]);
	config_unref(c);
}

static void
weights_are_read_with_their_upstreams(void **state)
{
	struct config *c;
	struct buf said;

	(void)state;
	assert_int_equal(load("upstreams: {a: {url: 'http://a'}, b: {url: 'http://b'}}\n"
	    "routes: [{to: {b: 1, a: 1000}, balance: order}, {to: [a, b], balance: least_busy}]\n",
	    &said, &c), 0);
	assert_int_equal(c->routes[0].n_to, 2);
	assert_int_equal(c->routes[0].to[0], 1);
	assert_int_equal(c->routes[0].weights[0], 1);
	assert_int_equal(c->routes[0].to[1], 0);
	assert_int_equal(c->routes[0].weights[1], 1000);
	assert_null(c->routes[1].weights);
	assert_string_equal(c->routes[1].balance, "least_busy");
	config_unref(c);
}

static void
certificates_are_read_with_where_they_stand(void **state)
{
	struct config *c;
	struct buf said;

	(void)state;
	assert_int_equal(load(UP "tls: {certificate: /c, key: /k}\n", &said, &c), 0);
	assert_int_equal(c->n_tls, 1);
	assert_string_equal(c->tls[0].certificate, "/c");
	assert_string_equal(c->tls[0].key, "/k");
	assert_null(c->tls[0].client_ca);
	assert_null(c->tls[0].client_ca_at);
	assert_string_equal(strstr(c->tls[0].key_at, "t.yaml"), "t.yaml:2:29: tls.key");
	assert_false(config_asks_for_certificate(c));
	config_unref(c);
	assert_int_equal(load(UP "tls:\n  - {certificate: /c, key: /k}\n"
	    "  - {certificate: /d, key: /l, client_ca: /a}\n"
	    "teams: {b: {}, c: {key: '" SUM_A "'}, a: {models: m}}\n", &said, &c), 0);
	assert_int_equal(c->n_tls, 2);
	assert_string_equal(strstr(c->tls[1].client_ca_at, "t.yaml"),
	    "t.yaml:4:43: tls[1].client_ca");
	assert_true(config_asks_for_certificate(c));
	for (size_t i = 0; i < c->n_teams; i++)
		assert_ptr_equal(config_team_named(c, bytes_str(c->teams[i].name)),
		    &c->teams[i]);
	config_unref(c);
}

static void
one_upstream_takes_everything(void **state)
{
	struct config *c;
	struct buf said;

	(void)state;
	assert_int_equal(load(UP "cache: {ttl: 1h}", &said, &c), 0);
	assert_int_equal(c->n_routes, 1);
	assert_string_equal(c->routes[0].models[0], "*");
	assert_int_equal(c->routes[0].cache.ttl, 3600 * USEC_PER_SEC);
	config_unref(c);
}

static void
a_group_of_comments_says_nothing(void **state)
{
	struct config *c;
	struct buf said;

	(void)state;
	assert_int_equal(load(UP "cache:\n  # size: 1GB\nlog:\n", &said, &c), 0);
	assert_int_equal(c->cache.size, (uint64_t)10 << 30);
	config_unref(c);
}

static void
without_a_file_there_is_the_hugging_face_router(void **state)
{
	struct config *c;

	(void)state;
	unsetenv("HF_TOKEN");
	unsetenv("CACHE_DIRECTORY");
	setenv("XDG_CACHE_HOME", "/x", 1);
	assert_int_equal(config_load(NULL, note, NULL, &c), 0);
	assert_string_equal(c->peers.listen[0].address, "127.0.0.1:8080");
	assert_true(c->memory_limit > 0);
	assert_string_equal(c->cache.path, "/x/reprise");
	assert_string_equal(c->upstreams[0].url, "https://router.huggingface.co/hf-inference");
	assert_int_equal(c->upstreams[0].n_tokens, 0);
	assert_true(c->workers >= 1);
	config_unref(c);
	setenv("HF_TOKEN", "hf_x", 1);
	setenv("CACHE_DIRECTORY", "/var/cache/a:/b", 1);
	assert_int_equal(config_load(NULL, note, NULL, &c), 0);
	assert_true(bytes_eq_str(secret_reveal(c->upstreams[0].tokens[0]), "hf_x"));
	assert_string_equal(c->cache.path, "/var/cache/a");
	config_unref(c);
}

static void
what_a_route_edits_is_read(void **state)
{
	static const char *const members[] = {
		"\"temperature\":0", "\"reasoning\":{\"effort\":\"low\",\"on\":[true,\"1\"]}",
		NULL, NULL, "\"max_tokens\":256",
	};
	const struct config_edits *edits;
	struct config *c;
	struct buf said;

	(void)state;
	assert_int_equal(load(UP "routes:\n  - to: up\n    default: {max_tokens: 256}\n"
	    "    strip: [user, logit_bias]\n"
	    "    set: {temperature: 0, reasoning: {effort: low, on: [true, '1']}}\n"
	    "  - {to: up, strip: user}\n  - {to: up}\n", &said, &c), 0);
	edits = &c->routes[0].edits;
	assert_int_equal(edits->n, ARRAY_LEN(members));
	for (size_t i = 0; i < edits->n; i++)
		if (members[i] == NULL)
			assert_null(edits->list[i].member);
		else
			assert_string_equal(edits->list[i].member, members[i]);
	assert_string_equal(edits->list[3].name, "logit_bias");
	assert_int_equal(c->routes[1].edits.n, 1);
	assert_int_equal(c->routes[2].edits.n, 0);
	buf_done(&said);
	config_unref(c);
}

static void
of_an_address_there_may_be_more_to_say(void **state)
{
	struct config *c;
	struct buf said;

	(void)state;
	assert_int_equal(load(UP "listen:\n  - {address: ':1', proxy_protocol: true}\n"
	    "  - {address: unix:/s, mode: '0660', group: root}\n  - :2\n"
	    "  - {address: unix:/t, mode: 600}\n", &said, &c), 0);
	assert_int_equal(c->peers.n_listen, 4);
	assert_string_equal(c->peers.listen[0].address, ":1");
	assert_true(c->peers.listen[0].proxy_protocol);
	assert_int_equal(c->peers.listen[1].mode, 0660);
	assert_string_equal(c->peers.listen[1].group, "root");
	assert_string_equal(c->peers.listen[2].address, ":2");
	assert_false(c->peers.listen[2].proxy_protocol);
	assert_int_equal(c->peers.listen[3].mode, 0600);
	assert_null(c->peers.listen[3].group);
	config_unref(c);
	assert_int_equal(load(UP "listen: {address: ':3'}\n", &said, &c), 0);
	assert_int_equal(c->peers.n_listen, 1);
	assert_string_equal(c->peers.listen[0].address, ":3");
	config_unref(c);
}

static void
proxies_in_front_are_addresses_and_nets(void **state)
{
	struct config *c;
	struct buf said;
	struct ip ip;

	(void)state;
	assert_int_equal(load(UP "trusted_proxies: [10.0.0.0/8, '::1', 'unix:']\n"
	    "memory_limit: 0B\nconnections_per_address: 20\n", &said, &c), 0);
	assert_true(ip_parse(bytes_str("10.9.8.7"), &ip) && config_trusts(c, ip));
	assert_true(ip_parse(bytes_str("::1"), &ip) && config_trusts(c, ip));
	assert_true(ip_parse(bytes_str("11.0.0.1"), &ip) && !config_trusts(c, ip));
	assert_true(config_trusts(c, IP_NONE));
	assert_int_equal(c->memory_limit, 0);
	assert_int_equal(c->peers.per_address, 20);
	config_unref(c);
}

static const struct {
	const char	*text;
	const char	*said;		/* behind the file's name */
} wrong[] = {
	{ "lisen: x\n" UP, ":1:1: lisen: unknown option, did you mean \"listen\"?\n" },
	{ "frobnicate: x\n" UP, ":1:1: frobnicate: unknown option\n" },
	{ UP "admin: 8081\n",
	    ":2:8: admin: \"8081\" is not host:port, [v6]:port or unix:/path\n" },
	{ UP "workers: 0\n", ":2:10: workers: must be from 1 to 256\n" },
	{ UP "workers: two\n", ":2:10: workers: \"two\" is not a number\n" },
	{ UP "workers: 99999999999999999999\n", ":2:10: workers: must be from 1 to 256\n" },
	{ UP "max_body: 5 apples\n",
	    ":2:11: max_body: \"5 apples\" is not a size such as 64MB\n" },
	{ UP "drain_timeout: 5\n",
	    ":2:16: drain_timeout: \"5\" is not a duration such as 30s or 7d\n" },
	{ UP "tls: {certificate: /c}\n", ":2:6: tls: \"key\" is missing\n" },
	{ UP "tls: []\n", ":2:6: tls: must not be empty\n" },
	{ UP "tls: /c\n", ":2:6: tls: must be a map of names to values\n" },
	{ UP "tls: [{certificate: /c, key: /k, ca: /a}]\n",
	    ":2:34: tls[0].ca: unknown option\n" },
	{ UP "tls: {certificate: /c, key: /k}\nteams: {a: {models: m}}\n",
	    ":3:12: teams.a: \"key\" is missing; reprise key new makes one\n" },
	{ UP "log: {access: maybe}\n",
	    ":2:15: log.access: must be true or false, or a list of fields\n" },
	{ UP "log: {access: []}\n", ":2:15: log.access: must not be empty\n" },
	{ UP "log: {format: xml}\n", ":2:15: log.format: \"xml\" is none of: text json\n" },
	{ UP "log: {access: [[id]]}\n", ":2:16: log.access[0]: must be a single value\n" },
	{ UP "log: {level: loud}\n",
	    ":2:14: log.level: \"loud\" is none of: error warn info debug\n" },
	{ UP "log: loud\n", ":2:6: log: must be a map of names to values\n" },
	{ UP "ca_file:\n", ":2:9: ca_file: has no value\n" },
	{ UP "listen: [a]\n",
	    ":2:10: listen[0]: \"a\" is not host:port, [v6]:port or unix:/path\n" },
	{ UP "listen: [{address: ':1', addres: ':1'}]\n",
	    ":2:26: listen[0].addres: unknown option, did you mean \"address\"?\n" },
	{ UP "listen: [{mode: '0660'}]\n", ":2:10: listen[0]: \"address\" is missing\n" },
	{ UP "listen: {address: ':1', mode: '0660'}\n",
	    ":2:9: listen: mode and group are for unix sockets\n" },
	{ UP "listen: {address: unix:/s, mode: rw}\n",
	    ":2:34: listen.mode: \"rw\" is no mode such as \"0660\"\n" },
	{ UP "listen: [{address: unix:/s, mode: 1777}]\n",
	    ":2:35: listen[0].mode: \"1777\" is no mode such as \"0660\"\n" },
	{ UP "listen: {address: unix:/s, group: no-such-group}\n",
	    ":2:35: listen.group: there is no group \"no-such-group\"\n" },
	{ UP "trusted_proxies: 10.0.0.0/33\n",
	    ":2:18: trusted_proxies: \"10.0.0.0/33\" is no address, nor a net such as "
	    "10.0.0.0/8\n" },
	{ UP "trusted_proxies: [1.2.3.4, balancer]\n",
	    ":2:28: trusted_proxies[1]: \"balancer\" is no address, nor a net such as "
	    "10.0.0.0/8\n" },
	{ UP "memory_limit: 200MB\n",
	    ":2:15: memory_limit: must be at least 8 times max_body, which one request may take; "
	    "or 0B: no bound\n" },
	{ UP "connections_per_address: 0\n",
	    ":2:26: connections_per_address: must be from 1 to 1000000\n" },
	{ UP "listen: []\n", ":2:9: listen: must not be empty\n" },
	{ UP "listen: ::1:80\n",
	    ":2:9: listen: write an IPv6 address in brackets: [::1]:8080\n" },
	{ UP "cache: {size: 1kB}\n", ":2:15: cache.size: must be from 1MB to 64TB\n" },
	{ "upstreams: {u: {url: 'ftp://x'}}\n",
	    ":1:22: upstreams.u.url: must begin with http://, https:// or unix:/\n" },
	{ "upstreams: {u: {url: 'http://a:b@c'}}\n",
	    ":1:22: upstreams.u.url: must not hold a user or password; see token\n" },
	{ "upstreams: {u: {url: 'http://x?y'}}\n",
	    ":1:22: upstreams.u.url: must be scheme://host[:port][/path] and nothing more\n" },
	{ "upstreams: {u: {}}\n", ":1:16: upstreams.u: \"url\" is missing\n" },
	{ "upstreams: {'a b': {url: 'http://x'}}\n",
	    ":1:13: upstreams.a b: a name has letters, digits, '_' and '-'\n" },
	{ "upstreams: {u: {url: 'http://x', token: hf_secret}}\n",
	    ":1:41: upstreams.u.token: must be one of {env: NAME}, {file: PATH}, "
	    "{credential: NAME}, {value: TEXT}, {client: true}\n" },
	{ "upstreams: {u: {url: 'http://x', token: {env: NO_SUCH}}}\n",
	    ":1:47: upstreams.u.token.env: NO_SUCH is not set\n" },
	{ "upstreams: {u: {url: 'http://x', token: {value: \"a\\rb\"}}}\n",
	    ":1:49: upstreams.u.token.value: the token holds bytes that no header field may\n" },
	{ "upstreams: {u: {url: 'http://x', token: {vale: hf_secret}}}\n",
	    ":1:42: upstreams.u.token.vale: unknown option, did you mean \"value\"?\n" },
	{ "upstreams: {u: {url: 'http://x', token: {hf_secret}}}\n",
	    ":1:41: upstreams.u.token: must be one of {env: NAME}, {file: PATH}, "
	    "{credential: NAME}, {value: TEXT}, {client: true}\n" },
	{ "upstreams: {u: {url: 'http://x', token: {env: hf_secret}}}\n",
	    ":1:47: upstreams.u.token.env: this variable is not set\n" },
	{ "upstreams: {u: {url: 'http://x', token: {file: hf_secret}}}\n",
	    ":1:48: upstreams.u.token.file: this file: No such file or directory\n" },
	{ "upstreams: {u: {url: 'http://x', token:hf_secret}}\n",
	    ":1:34: upstreams.u.token: a space must follow the \":\"\n" },
	{ "upstreams: {u: {url: 'http://x', tokens: {value: hf_secret}}}\n",
	    ":1:42: upstreams.u.tokens: must be a list\n" },
	{ "upstreams: {u: {url: 'http://x', tokens: []}}\n",
	    ":1:42: upstreams.u.tokens: must not be empty\n" },
	{ "upstreams: {u: {url: 'http://x', tokens: [{value: a}, hf_secret]}}\n",
	    ":1:55: upstreams.u.tokens[1]: must be one of {env: NAME}, {file: PATH}, "
	    "{credential: NAME}, {value: TEXT}\n" },
	{ "upstreams: {u: {url: 'http://x', tokens: [{client: true}]}}\n",
	    ":1:43: upstreams.u.tokens[0]: must be one of {env: NAME}, {file: PATH}, "
	    "{credential: NAME}, {value: TEXT}\n" },
	{ "upstreams: {u: {url: 'http://x', tokens: [{env: NO_SUCH}]}}\n",
	    ":1:49: upstreams.u.tokens[0].env: NO_SUCH is not set\n" },
	{ "upstreams: {u: {url: 'http://x', tokens: [{env: hf_secret}]}}\n",
	    ":1:49: upstreams.u.tokens[0].env: this variable is not set\n" },
	{ "upstreams: {u: {url: 'http://x', token: {value: a}, tokens: [{value: hf_secret}]}}\n",
	    ":1:61: upstreams.u.tokens: does not go with \"token\"; move that into the list, or "
	    "leave one of them out\n" },
	{ "upstreams: {u: {url: 'http://x:99999'}}\n",
	    ":1:22: upstreams.u.url: must be scheme://host[:port][/path] and nothing more\n" },
	{ "upstreams: {u: {url: 'http://x/\\y'}}\n",
	    ":1:22: upstreams.u.url: must be scheme://host[:port][/path] and nothing more\n" },
	{ "upstreams: {u: {url: 'http://hf_secret:x@[::1]'}}\n",
	    ":1:22: upstreams.u.url: must not hold a user or password; see token\n" },
	{ "upstreams: {u: {url: 'http://[::g]'}}\n", ":1:22: upstreams.u.url: names no host\n" },
	{ "upstreams: {u: {url: \"unix:/a\\nb\"}}\n",
	    ":1:22: upstreams.u.url: must be unix: and an absolute path\n" },
	{ UP "listen: '[::g]:80'\n",
	    ":2:9: listen: \"[::g]:80\" is not host:port, [v6]:port or unix:/path\n" },
	{ UP "routes: []\n", ":2:9: routes: must not be empty\n" },
	{ UP "routes: [{to: up, rewrite_model: ../x}]\n",
	    ":2:34: routes[0].rewrite_model: is no model id\n" },
	{ UP "routes: [{to: up, path: \"/\\e\"}]\n",
	    ":2:25: routes[0].path: must not hold control characters\n" },
	{ UP "routes: [{to: up, model: *}]\n",
	    ":2:27: what begins with \"*\" must stand in quotes\n" },
	{ UP "\"a\\nb\": 1\n", ":2:1: a?b: unknown option\n" },
	{ "upstreams: {u: {url: 'http://x', compute: \"a\\nb\"}}\n",
	    ":1:43: upstreams.u.compute: is no header field value\n" },
	{ UP "routes: [{to: upp}]\n",
	    ":2:15: routes[0].to: unknown upstream, did you mean \"up\"?\n" },
	{ UP "routes: [{to: {up: 0}}]\n",
	    ":2:20: routes[0].to.up: must be a weight from 1 to 1000\n" },
	{ UP "routes: [{to: {up: 1001}}]\n",
	    ":2:20: routes[0].to.up: must be a weight from 1 to 1000\n" },
	{ UP "routes: [{to: {up: 1.5}}]\n",
	    ":2:20: routes[0].to.up: must be a weight from 1 to 1000\n" },
	{ UP "routes: [{to: {up: [1]}}]\n",
	    ":2:20: routes[0].to.up: must be a single value\n" },
	{ UP "routes: [{to: {upp: 1}}]\n",
	    ":2:16: routes[0].to.upp: unknown upstream, did you mean \"up\"?\n" },
	{ UP "routes: [{to: {up: 1, up: 2}}]\n", ":2:23: this key stands here twice\n" },
	{ UP "routes: [{to: {}}]\n", ":2:15: routes[0].to: must not be empty\n" },
	{ UP "routes: [{to: up, balance: fair}]\n",
	    ":2:28: routes[0].balance: \"fair\" is none of: order least_busy\n" },
	{ UP "routes: [{to: {up: 1}, balance: least_busy}]\n", ":2:33: routes[0].balance: "
	    "least_busy does not go with weights; list the upstreams in \"to\", "
	    "or leave it out\n" },
	{ "upstreams: {a: {url: 'http://a', health: ping}}\n", ":1:42: upstreams.a.health: must "
	    "begin with a slash, as in /health\n" },
	{ "upstreams: {a: {url: 'http://a', health: /x?y every 1s}}\n", ":1:42: upstreams.a."
	    "health: must be a path such as /health and nothing more\n" },
	{ "upstreams: {a: {url: 'http://a', health: /x every soon}}\n", ":1:42: upstreams.a."
	    "health: \"soon\" is not a duration such as 30s or 7d\n" },
	{ "upstreams: {a: {url: 'http://a', health: /x every 1ms}}\n",
	    ":1:42: upstreams.a.health: must be from 10ms to 1d\n" },
	{ "upstreams: {a: {url: 'http://a', health: /x in 1s}}\n", ":1:42: upstreams.a.health: "
	    "must be a path such as /health and nothing more\n" },
	{ "upstreams: {a: {url: 'http://a', revision: {every: 1s}}}\n",
	    ":1:44: upstreams.a.revision: \"probe\" is missing\n" },
	{ "upstreams: {a: {url: 'http://a', revision: {probe: info}}}\n", ":1:52: upstreams.a."
	    "revision.probe: must begin with a slash, as in /health\n" },
	{ "upstreams: {a: {url: 'http://a', revision: {prob: /info, probe: /info}}}\n", ":1:45: "
	    "upstreams.a.revision.prob: unknown option, did you mean \"probe\"?\n" },
	{ "upstreams: {a: {url: 'http://a', revision: [x]}}\n",
	    ":1:44: upstreams.a.revision: must be a single value\n" },
	{ "cache: {mode: replay}\n" UP "routes: [{to: up, revision: {probe: /info}}]\n",
	    ":1:1: cache.mode: replay asks no upstream for its revision; in place of "
	    "{probe: ...} write the text that was logged as it\n" },
	{ UP "routes: [{model: x}]\n", ":2:10: routes[0]: \"to\" is missing\n" },
	{ UP "routes: [{to: up, cache: {ttl: 0s}}]\n",
	    ":2:32: routes[0].cache.ttl: must be from 1s to 3650d\n" },
	{ UP "routes: [{to: up, set: {model: x}}]\n", ":2:25: routes[0].set.model: is not for "
	    "editing; rewrite_model says what the model is called upstream\n" },
	{ UP "routes: [{to: up, strip: [user, stream]}]\n", ":2:33: routes[0].strip[1]: is not "
	    "for editing: clients must get the form that they ask for\n" },
	{ UP "routes: [{to: up, default: {stream_options: {}}}]\n",
	    ":2:29: routes[0].default.stream_options: is not for editing; see include_usage "
	    "of the upstream\n" },
	{ UP "routes: [{to: up, set: {n: 1}, default: {m: 1, n: 1}}]\n",
	    ":2:48: routes[0].default.n: stands in \"set\" already\n" },
	{ UP "routes: [{to: up, default: {user: x}, strip: user}]\n",
	    ":2:29: routes[0].default.user: stands in \"strip\" already\n" },
	{ UP "routes: [{to: up, strip: [user, user]}]\n",
	    ":2:33: routes[0].strip[1]: stands in \"strip\" already\n" },
	{ UP "routes: [{to: up, set: {n: 1, n: 2}}]\n", ":2:31: this key stands here twice\n" },
	{ UP "routes:\n- to: up\n  set:\n    a: {b: [1, .inf]}\n",
	    ":5:16: routes[0].set.a: is no number that JSON can hold\n" },
	{ UP "routes: [{to: up, set: {a: !!int \"5\"}}]\n", ":2:28: routes[0].set.a: must stand "
	    "without a tag or an anchor; a text in quotes\n" },
	{ UP "routes: [{to: up, set: temperature}]\n",
	    ":2:24: routes[0].set: must be a map of names to values\n" },
	{ UP "routes: [{to: up, default: {}}]\n",
	    ":2:28: routes[0].default: must not be empty\n" },
	{ UP "routes: [{to: up, strip: []}]\n",
	    ":2:26: routes[0].strip: must not be empty\n" },
	{ UP "routes: [{to: up, strip: {user: 1}}]\n",
	    ":2:26: routes[0].strip: must be a single value\n" },
	{ UP "routes:\n- to: up\n  strip:\n", ":4:9: routes[0].strip: has no value\n" },
	{ UP "routes: [{to: up, strip: ''}]\n", ":2:26: routes[0].strip: names no member\n" },
	{ UP "routes: {to: up}\n", ":2:9: routes: must be a list\n" },
	{ "upstreams: {a: {url: 'http://a'}, b: {url: 'http://b'}}\n",
	    ":1:1: routes: with several upstreams, say which request goes where\n" },
	{ UP "teams:\n  # a: {}\n", ":2:7: teams: must be a map of names to values\n" },
	{ UP "teams: {}\n", ":2:8: teams: must not be empty\n" },
	{ "teams: {a: {key: '" SUM_A "'}}\n", ":1:1: upstreams: there must be one\n" },
	{ UP "teams: {'a b': {key: '" SUM_A "'}}\n",
	    ":2:9: teams.a b: a name has letters, digits, '_' and '-'\n" },
	{ UP "teams: {a: {models: m}}\n",
	    ":2:12: teams.a: \"key\" is missing; reprise key new makes one\n" },
	{ UP "teams: {a: {key: rp-hf_secret}}\n", ":2:18: teams.a.key: must be sha256: and 64 "
	    "hexadecimal digits, as reprise key new prints it\n" },
	{ UP "teams: {a: {keys: ['" SUM_A "', hf_secret]}}\n", ":2:95: teams.a.keys[1]: must be "
	    "sha256: and 64 hexadecimal digits, as reprise key new prints it\n" },
	{ UP "teams: {a: {keys: []}}\n", ":2:19: teams.a.keys: must not be empty\n" },
	{ UP "teams: {a: {key: ['" SUM_A "']}}\n",
	    ":2:18: teams.a.key: must be a single value\n" },
	{ UP "teams:\n  a: {key: '" SUM_A "'}\n  b: {key: '" SUM_A "'}\n",
	    ":4:12: teams.b.key: is a key of team \"a\" already\n" },
	{ UP "teams: {a: {key: '" SUM_A "', expires: 2027-02-30}}\n", ":2:102: teams.a.expires: "
	    "\"2027-02-30\" is not a date such as 2027-01-31 or 2027-01-31T12:00:00Z\n" },
	{ UP "teams: {a: {key: '" SUM_A "', namespace: own}}\n",
	    ":2:104: teams.a.namespace: \"own\" is none of: shared team\n" },
	{ UP "teams: {sales: {key: '" SUM_A "'}}\nroutes: [{to: up, team: [sale]}]\n",
	    ":3:26: routes[0].team[0]: unknown team, did you mean \"sales\"?\n" },
	{ UP "routes: [{to: up, team: a}]\n", ":2:25: routes[0].team: unknown team\n" },
	{ "upstreams: {u: {url: 'http://x', token: {client: true}}}\nteams: {a: {key: '" SUM_A
	    "'}}\n", ":1:41: upstreams.u.token: {client: true} does not go with teams: their "
	    "keys would go upstream\n" },
	{ "workers: 1\n", ":1:1: upstreams: there must be one\n" },
	{ "", ":1:1: upstreams: there must be one\n" },
	{ UP UP, ":2:1: this key stands here twice\n" },
	{ UP "log: {level: info, level: warn}\n", ":2:20: this key stands here twice\n" },
	{ UP "---\n" UP, ":2:1: a second document; there must be one\n" },
	{ UP "a: \"\\0\"\n", ":2:4: a NUL in a text\n" },
};

static void
what_is_wrong_is_said_with_its_place(void **state)
{
	struct config *c = NULL;
	struct buf said;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(load(wrong[i].text, &said, &c), CONFIG_E_WRONG);
		if (!bytes_has_suffix(buf_bytes(&said), wrong[i].said))
			print_message("%.*s---\n%s", BYTES_ARG(buf_bytes(&said)), wrong[i].said);
		assert_true(bytes_has_suffix(buf_bytes(&said), wrong[i].said));
		assert_null(memmem(said.mem, buf_len(&said), "hf_secret", 9));
		buf_done(&said);
	}
	assert_null(c);
}

static void
everything_wrong_is_said_at_once(void **state)
{
	const char *text = "workers: x\nlog: {leve: info}\nupstreams: {u: {url: x}}\n"
	    "routes: [{to: v}]\n";
	struct config *c;
	struct buf said;
	size_t n = 0;

	(void)state;
	assert_int_equal(load(text, &said, &c), CONFIG_E_WRONG);
	for (size_t i = 0; i < buf_len(&said); i++)
		n += buf_bytes(&said).ptr[i] == '\n';
	assert_int_equal(n, 4);
	buf_done(&said);
}

static void
what_is_no_yaml_is_refused_with_its_place(void **state)
{
	static const char *const texts[] = {
		"a: [", "\t", "a: b: c", "{", "\xff\xfe\xff", "a: \xc3(", "- &a [*b]", "? [a]\n: b",
		"%YAML 9.9\n---\na", "!<tag:x> {",
	};
	struct config *c;
	struct buf said;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(load(texts[i], &said, &c), CONFIG_E_WRONG);
		assert_non_null(memmem(said.mem, buf_len(&said), "t.yaml:", 7));
		buf_done(&said);
	}
}

static void
aliases_do_not_multiply(void **state)
{
	struct config *c;
	struct buf said;

	(void)state;
	assert_int_equal(load("upstreams: {a: &a {url: 'http://a'}, b: *a}\n"
	    "routes: [{to: [a, b]}]\n", &said, &c), 0);
	assert_string_equal(c->upstreams[1].url, "http://a");
	config_unref(c);
	assert_int_equal(load("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", &said, &c),
	    CONFIG_E_WRONG);
	buf_done(&said);
	assert_int_equal(load("upstreams: &a {x: *a}\n", &said, &c), CONFIG_E_WRONG);
	buf_done(&said);
}

static void
a_file_that_cannot_be_read_is_told(void **state)
{
	struct config *c;
	struct buf said;

	(void)state;
	buf_init(&said, SAID_MAX);
	assert_true(config_load("/no/such/file", note, &said, &c) < 0);
	assert_true(bytes_eq_str(buf_bytes(&said), "/no/such/file: No such file or directory\n"));
	buf_done(&said);
}

static void
the_sample_is_right(void **state)
{
	struct config *c;
	struct buf said;

	(void)state;
	buf_init(&said, SAID_MAX);
	if (config_load("config/reprise.yaml", note, &said, &c) != 0)
		fail_msg("%.*s", BYTES_ARG(buf_bytes(&said)));
	assert_int_equal(c->n_routes, 2);
	config_unref(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_configuration_is_read),
		cmocka_unit_test(a_list_says_what_is_in_the_access_log),
		cmocka_unit_test(checks_are_read),
		cmocka_unit_test(revisions_are_told_or_asked_for),
		cmocka_unit_test(teams_and_their_keys_are_read),
		cmocka_unit_test(weights_are_read_with_their_upstreams),
		cmocka_unit_test(certificates_are_read_with_where_they_stand),
		cmocka_unit_test(one_upstream_takes_everything),
		cmocka_unit_test(a_group_of_comments_says_nothing),
		cmocka_unit_test(without_a_file_there_is_the_hugging_face_router),
		cmocka_unit_test(what_a_route_edits_is_read),
		cmocka_unit_test(of_an_address_there_may_be_more_to_say),
		cmocka_unit_test(proxies_in_front_are_addresses_and_nets),
		cmocka_unit_test(what_is_wrong_is_said_with_its_place),
		cmocka_unit_test(everything_wrong_is_said_at_once),
		cmocka_unit_test(what_is_no_yaml_is_refused_with_its_place),
		cmocka_unit_test(aliases_do_not_multiply),
		cmocka_unit_test(a_file_that_cannot_be_read_is_told),
		cmocka_unit_test(the_sample_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
