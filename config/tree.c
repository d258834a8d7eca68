/* SPDX-License-Identifier: MIT */
/*
 * tree.c - libyaml's document, copied into nodes of our own.  Each is copied
 * once, so an alias is a second pointer to the same node and nothing grows.
 */
#include "config/tree.h"

#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "base/mem.h"

#define MEMBERS_MAX	1000
#define WORD_CHARS	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.~"

struct tree {
	yaml_document_t	  document;
	struct tree_node *nodes;
	size_t		  n;
};

static int
wrong(struct tree_error *error, unsigned line, unsigned column, const char *what)
{
	error->line = line;
	error->column = column;
	snprintf(error->what, sizeof(error->what), "%s", what);
	return TREE_E_WRONG;
}

static int
wrong_at(struct tree_error *error, const struct tree_node *node, const char *what)
{
	return wrong(error, node->line, node->column, what);
}

static bool
is_about_aliases(const yaml_parser_t *parser)
{
	return (parser->problem != NULL && strstr(parser->problem, "alias") != NULL) ||
	    (parser->context != NULL && strstr(parser->context, "alias") != NULL);
}

/* What the reader trips over has an offset, the rest a mark. */
static int
syntax_error(const yaml_parser_t *parser, struct bytes text, struct tree_error *error)
{
	unsigned line = 1, column = 1;

	if (is_about_aliases(parser))
		return wrong(error, (unsigned)parser->problem_mark.line + 1,
		    (unsigned)parser->problem_mark.column + 1,
		    "what begins with \"*\" must stand in quotes");
	if (parser->error != YAML_READER_ERROR)
		return wrong(error, (unsigned)parser->problem_mark.line + 1,
		    (unsigned)parser->problem_mark.column + 1,
		    parser->problem != NULL ? parser->problem : "not YAML");
	for (size_t i = 0; i < parser->problem_offset && i < text.len; i++) {
		column++;
		if (text.ptr[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return wrong(error, line, column, parser->problem);
}

static bool
is_null(const yaml_node_t *from, const char *text)
{
	return from->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

/*
 * libyaml gives what has no tag the tag of its kind, and to a text in its own words too:
 * of a word or number that a tag makes a text only the place tells.
 */
static bool
is_bare(const yaml_node_t *from)
{
	static const char *const tags[] = {
		[YAML_SCALAR_NODE] = YAML_DEFAULT_SCALAR_TAG,
		[YAML_SEQUENCE_NODE] = YAML_DEFAULT_SEQUENCE_TAG,
		[YAML_MAPPING_NODE] = YAML_DEFAULT_MAPPING_TAG,
	};
	const char *text = (const char *)from->data.scalar.value;

	if (strcmp((const char *)from->tag, tags[from->type]) != 0)
		return false;
	if (from->type != YAML_SCALAR_NODE || from->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
	    text[strspn(text, WORD_CHARS)] != '\0')
		return true;
	return from->end_mark.index - from->start_mark.index == from->data.scalar.length;
}

static const struct tree_node *
node_at(const struct tree *tree, int index)
{
	return &tree->nodes[index - 1];
}

static void
copy_scalar(const yaml_node_t *from, struct tree_node *to)
{
	to->kind = TREE_SCALAR;
	to->text = (const char *)from->data.scalar.value;
	to->is_null = is_null(from, to->text);
	to->is_plain = from->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static void
copy_list(const struct tree *tree, const yaml_node_t *from, struct tree_node *to)
{
	const yaml_node_item_t *items = from->data.sequence.items.start;

	to->kind = TREE_LIST;
	to->n = (size_t)(from->data.sequence.items.top - items);
	to->pairs = xcalloc(to->n + 1, sizeof(*to->pairs));
	for (size_t i = 0; i < to->n; i++)
		to->pairs[i].value = node_at(tree, items[i]);
}

static void
copy_map(const struct tree *tree, const yaml_node_t *from, struct tree_node *to)
{
	const yaml_node_pair_t *pairs = from->data.mapping.pairs.start;

	to->kind = TREE_MAP;
	to->n = (size_t)(from->data.mapping.pairs.top - pairs);
	to->pairs = xcalloc(to->n + 1, sizeof(*to->pairs));
	for (size_t i = 0; i < to->n; i++)
		to->pairs[i] = (struct tree_pair){
			node_at(tree, pairs[i].key), node_at(tree, pairs[i].value),
		};
}

static void
copy_nodes(struct tree *tree)
{
	const yaml_node_t *from = tree->document.nodes.start;

	tree->n = (size_t)(tree->document.nodes.top - from);
	tree->nodes = xcalloc(tree->n + 1, sizeof(*tree->nodes));
	for (size_t i = 0; i < tree->n; i++) {
		struct tree_node *to = &tree->nodes[i];

		to->line = (unsigned)from[i].start_mark.line + 1;
		to->column = (unsigned)from[i].start_mark.column + 1;
		to->is_bare = is_bare(&from[i]);
		if (from[i].type == YAML_MAPPING_NODE)
			copy_map(tree, &from[i], to);
		else if (from[i].type == YAML_SEQUENCE_NODE)
			copy_list(tree, &from[i], to);
		else
			copy_scalar(&from[i], to);
	}
}

static int
check_keys(const struct tree_node *map, struct tree_error *error)
{
	for (size_t i = 0; i < map->n; i++) {
		if (map->pairs[i].key->kind != TREE_SCALAR)
			return wrong_at(error, map->pairs[i].key, "a key must be a word");
		for (size_t j = 0; j < i; j++)
			if (strcmp(map->pairs[i].key->text, map->pairs[j].key->text) == 0)
				return wrong_at(error, map->pairs[i].key,
				    "this key stands here twice");
	}
	return 0;
}

static int
check_nodes(const struct tree *tree, struct tree_error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < tree->n; i++) {
		const struct tree_node *node = &tree->nodes[i];
		const yaml_node_t *from = &tree->document.nodes.start[i];

		if (node->n > MEMBERS_MAX)
			r = wrong_at(error, node, "too many members");
		else if (node->kind == TREE_MAP)
			r = check_keys(node, error);
		else if (node->kind == TREE_SCALAR &&
		    strlen(node->text) != from->data.scalar.length)
			r = wrong_at(error, node, "a NUL in a text");
	}
	return r;
}

static int
check_end(yaml_parser_t *parser, struct bytes text, struct tree_error *error)
{
	yaml_document_t rest;
	unsigned line;
	bool is_end;

	if (!yaml_parser_load(parser, &rest))
		return syntax_error(parser, text, error);
	is_end = yaml_document_get_root_node(&rest) == NULL;
	line = (unsigned)rest.start_mark.line + 1;
	yaml_document_delete(&rest);
	return is_end ? 0 : wrong(error, line, 1, "a second document; there must be one");
}

int
tree_read(struct bytes text, struct tree **ret_tree, struct tree_error *ret_error)
{
	struct tree *tree = xcalloc(1, sizeof(*tree));
	yaml_parser_t parser;
	int r;

	if (!yaml_parser_initialize(&parser)) {
		xfree(tree);
		return wrong(ret_error, 1, 1, "no memory");
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
	if (!yaml_parser_load(&parser, &tree->document)) {
		r = syntax_error(&parser, text, ret_error);
		yaml_parser_delete(&parser);
		xfree(tree);
		return r;
	}
	copy_nodes(tree);
	r = check_nodes(tree, ret_error);
	if (r == 0 && tree->n > 0)
		r = check_end(&parser, text, ret_error);
	yaml_parser_delete(&parser);
	if (r != 0) {
		tree_free(tree);
		return r;
	}
	*ret_tree = tree;
	return 0;
}

struct tree *
tree_free(struct tree *tree)
{
	if (tree == NULL)
		return NULL;
	for (size_t i = 0; i < tree->n; i++)
		xfree(tree->nodes[i].pairs);
	xfree(tree->nodes);
	yaml_document_delete(&tree->document);
	return xfree(tree);
}

const struct tree_node *
tree_root(const struct tree *tree)
{
	return tree->n > 0 ? &tree->nodes[0] : NULL;
}
