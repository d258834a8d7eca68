/* SPDX-License-Identifier: MIT */
/*
 * gate.c - a count, a line, a lock.  A place that is given back is handed to the first
 * in line before anyone else can take it.
 */
#include "cache/gate.h"

#include <pthread.h>

#include "base/err.h"
#include "base/mem.h"

struct gate {
	pthread_mutex_t		 lock;		/* of all that follows, and of the passes */
	unsigned		 n_inside;
	unsigned		 n_waiting;
	unsigned		 max;		/* as of the last that came */
	struct gate_pass	*first;
	struct gate_pass	**end;
};

struct gate *
gate_new(void)
{
	struct gate *gate = xcalloc(1, sizeof(*gate));

	pthread_mutex_init(&gate->lock, NULL);
	gate->end = &gate->first;
	return gate;
}

struct gate *
gate_free(struct gate *gate)
{
	if (gate == NULL)
		return NULL;
	assert(gate->n_inside == 0 && gate->first == NULL);
	pthread_mutex_destroy(&gate->lock);
	return xfree(gate);
}

static bool
has_room(const struct gate *gate)
{
	return gate->max == 0 || gate->n_inside < gate->max;
}

static void
line_up(struct gate *gate, struct gate_pass *pass)
{
	pass->next = NULL;
	pass->link = gate->end;
	*gate->end = pass;
	gate->end = &pass->next;
	gate->n_waiting++;
}

static void
step_out_of_line(struct gate *gate, struct gate_pass *pass)
{
	*pass->link = pass->next;
	if (pass->next != NULL)
		pass->next->link = pass->link;
	else
		gate->end = pass->link;
	gate->n_waiting--;
}

static void
let_in(struct gate *gate, struct gate_pass *pass)
{
	pass->is_inside = true;
	gate->n_inside++;
}

/* As many of those that wait as there is room for. */
static void
let_in_waiting(struct gate *gate)
{
	while (gate->first != NULL && has_room(gate)) {
		struct gate_pass *pass = gate->first;

		step_out_of_line(gate, pass);
		let_in(gate, pass);
		pass->wake(pass->arg);
	}
}

int
gate_enter(struct gate *gate, const struct gate_limits *limits, struct gate_pass *pass)
{
	int r = 0;

	assert(pass->gate == NULL);
	pthread_mutex_lock(&gate->lock);
	gate->max = limits->max;	/* a reload may have changed it */
	let_in_waiting(gate);
	if (gate->first == NULL && has_room(gate))
		let_in(gate, pass);
	else if (gate->n_waiting < limits->queue)
		r = GATE_E_WAIT;
	else
		r = GATE_E_FULL;
	if (r != GATE_E_FULL)
		pass->gate = gate;
	if (r == GATE_E_WAIT)
		line_up(gate, pass);
	pthread_mutex_unlock(&gate->lock);
	return r;
}

bool
gate_is_inside(struct gate_pass *pass)
{
	bool is_inside;

	if (pass->gate == NULL)
		return false;
	pthread_mutex_lock(&pass->gate->lock);
	is_inside = pass->is_inside;
	pthread_mutex_unlock(&pass->gate->lock);
	return is_inside;
}

void
gate_leave(struct gate_pass *pass)
{
	struct gate *gate = pass->gate;

	if (gate == NULL)
		return;
	pthread_mutex_lock(&gate->lock);
	if (pass->is_inside)
		gate->n_inside--;
	else
		step_out_of_line(gate, pass);
	pass->is_inside = false;
	pass->gate = NULL;
	let_in_waiting(gate);
	pthread_mutex_unlock(&gate->lock);
}

void
gate_count(struct gate *gate, unsigned *ret_inside, unsigned *ret_waiting)
{
	pthread_mutex_lock(&gate->lock);
	*ret_inside = gate->n_inside;
	*ret_waiting = gate->n_waiting;
	pthread_mutex_unlock(&gate->lock);
}
