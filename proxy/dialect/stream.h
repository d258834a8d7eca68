/* SPDX-License-Identifier: MIT */
/*
 * stream.h - answers that come as streams: did one end well, what does it say as a
 * whole answer, and as which stream can a whole answer be said (PROTOCOLS.md 5.3,
 * 7, 8, 9, 12).  Pure: over recorded bytes, no sockets.
 *
 * What cannot be said in the other form without a loss is refused, not guessed:
 * the caller then keeps the two forms apart.
 */
#ifndef PROXY_DIALECT_STREAM_H
#define PROXY_DIALECT_STREAM_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "proxy/dialect/dialect.h"

enum stream_form {
	STREAM_NONE,		/* its streams are not understood */
	STREAM_CHAT,		/* OpenAI */
	STREAM_COMPLETIONS,
	STREAM_MESSAGES,	/* Anthropic */
	STREAM_GENERATE,	/* Ollama */
	STREAM_OLLAMA_CHAT,
	STREAM_TGI,
};

enum {
	STREAM_E_CANNOT = 1,	/* not without a loss, or not an answer of this form */
};

struct unfold_options {
	bool	include_usage;	/* OpenAI: stream_options.include_usage (PROTOCOLS.md 7.1) */
};

/* Of the streams that answer CALL. */
enum stream_form	stream_form_of(const struct call *call);

/* What a stream of FORM, which is not STREAM_NONE, has as its content type. */
const char	*stream_content_type(enum stream_form form);

/*
 * May STREAM, a whole recorded body whose transfer ended cleanly, be stored?  Only if
 * it shows that nothing is missing and holds no error (PROTOCOLS.md 7.2, 12.3).
 */
enum answer_verdict	stream_judge(enum stream_form form, struct bytes content_type,
			    struct bytes stream);

/*
 * Does STREAM say itself that it is over?  One that came without a length and ended
 * with its connection is whole only then (HAZARDS.md U8); OpenAI's streams may else
 * do without their [DONE].
 */
bool	stream_has_end(enum stream_form form, struct bytes stream);

/*
 * Append to OUT the whole answer that STREAM says.  0; STREAM_E_CANNOT also for one
 * that did not end well; or -E2BIG, then with a part of it in OUT.
 */
int	stream_fold(enum stream_form form, struct bytes stream, struct buf *out) MUST_USE;

/*
 * Append to OUT a stream that says what ANSWER, a whole one, does.  0; or
 * STREAM_E_CANNOT or -E2BIG, then perhaps with a part of it in OUT.  Usage that is
 * to be included and that ANSWER has not cannot be said either.
 */
int	stream_unfold(enum stream_form form, struct bytes answer,
	    const struct unfold_options *options, struct buf *out) MUST_USE;

/*
 * Cut the next event off *REST, all its bytes and the blank line included; what
 * never ended is the last one.  False when nothing is left.
 */
bool	stream_next_piece(enum stream_form form, struct bytes *rest, struct bytes *ret_piece);

/*
 * How far the whole events of a body go that is still coming, and where the line begins
 * that is not whole yet.  It begins with zeros; both only grow with BODY.
 */
struct stream_mark {
	size_t	whole;
	size_t	line;
};
void	stream_mark_events(enum stream_form form, struct bytes body, struct stream_mark *mark);

/* Is what ends with TAIL, at least STREAM_TAIL_LEN bytes or all there are, whole events? */
#define STREAM_TAIL_LEN	4
bool	stream_is_at_rest(enum stream_form form, struct bytes tail);

/*
 * Append an event that says to a client, as its API does, that nothing more comes and
 * why; arguments as those of error_body().
 */
int	stream_add_error(enum stream_form form, int status, const char *code,
	    struct bytes message, struct buf *out) MUST_USE;

#endif
