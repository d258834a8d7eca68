/* SPDX-License-Identifier: MIT */
/*
 * saving.c - a hit is noted in a table of its worker's; what that is worth, and in
 * whose account it belongs, is looked up when it is handed on.
 */
#include "proxy/saving.h"

#include "cache/ledger.h"
#include "cache/savings.h"
#include "cache/scribe.h"
#include "cache/tally.h"
#include "config/config.h"
#include "proxy/worker.h"

static void
note(struct request *req, struct bytes model, const struct saved *saved)
{
	const struct config_team *team = req->admission.team;
	struct bytes whose = bytes_str(team != NULL ? team->name : LEDGER_NOBODY);
	struct savings *savings = req->worker->savings;

	if (savings_add(savings, whose, model, saved))
		return;
	saving_hand_on(req->worker);
	if (!savings_add(savings, whose, model, saved))
		unreachable("it is empty now");
}

void
saving_note_hit(struct request *req)
{
	const struct saved saved = {
		.hits = 1, .input = req->found.input, .output = req->found.output,
	};

	note(req, req->found.model, &saved);
}

void
saving_note_follower(struct request *req)
{
	const struct flight_usage *usage = flight_usage(&req->sharing.seat);
	const struct saved saved = { .input = usage->input, .output = usage->output };

	if ((saved.input | saved.output) != 0)
		note(req, req->model, &saved);
}

struct handing {
	struct worker	*worker;
	struct tally	*tally;
};

static void
hand_on_row(void *arg, struct bytes whose, struct bytes model, const struct saved *saved)
{
	const struct handing *handing = arg;
	struct worker *worker = handing->worker;
	const struct config_price *price = config_price_find(worker->config, model);
	struct saved priced = *saved;

	if (price != NULL)
		priced.cost = saved->input * price->input + saved->output * price->output;
	tally_save(handing->tally, model, &priced);
	ledger_save(worker->ledger, ledger_account(worker->ledger, whose), &priced);
}

void
saving_hand_on(struct worker *worker)
{
	struct handing handing = { worker, tally_new() };

	savings_take(worker->savings, hand_on_row, &handing);
	if (worker->scribe != NULL)
		scribe_tally(worker->scribe, handing.tally);
	tally_free(handing.tally);
}
