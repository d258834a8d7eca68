/* SPDX-License-Identifier: MIT */
/*
 * option_listen_tbl.h - what there is to say of addresses to listen on, and of those who
 * come there; as in option_tbl.h.
 */

{ .place = PLACE_TOP, .name = "connections_per_address", .type = OPTION_COUNT,
  OPTION_FIELD(struct config, peers.per_address), .min = "1", .max = "1000000",
  .text = "How many connections one address, of IPv6 a net of 64 bits, may have." },
{ .place = PLACE_TOP, .name = "trusted_proxies", .type = OPTION_NETS,
  OPTION_FIELD(struct config, peers.trusted_proxies),
  .text = "Who is believed in whose name it asks: addresses, nets as 10.0.0.0/8, or unix:." },

{ .place = PLACE_LISTEN, .name = "address", .type = OPTION_ADDRESS, .is_needed = true,
  OPTION_FIELD(struct config_listen, address),
  .text = "host:port, [v6]:port or unix:/path." },
{ .place = PLACE_LISTEN, .name = "proxy_protocol", .type = OPTION_BOOL, .def = "false",
  OPTION_FIELD(struct config_listen, proxy_protocol),
  .text = "true: each connection begins with a header of the PROXY protocol, version 1 or 2, "
      "that says whose it is." },
{ .place = PLACE_LISTEN, .name = "mode", .type = OPTION_FILE_MODE,
  OPTION_FIELD(struct config_listen, mode), .min = "0001", .max = "0777",
  .text = "Of a unix socket, as in \"0660\": who may connect; by the umask unless set." },
{ .place = PLACE_LISTEN, .name = "group", .type = OPTION_FILE_GROUP,
  OPTION_FIELD(struct config_listen, group),
  .text = "Of a unix socket: the group it belongs to." },
