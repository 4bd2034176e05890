#pragma once

// Predicted losses and costs → choices.
//
// There are
//   router             the composition that users make; a pool that LLMs join and leave.
//   lagrangian_rule    argmin predicted loss + λ · cost. Take it when you know what quality is worth.
//   budget_rule        the λ whose mean cost is a budget, met exactly by a draw at the tie. Take it when you know what
//                      you can spend; needs `router::calibrate`.
//   best_quality_rule  whatever it costs.
//   capability_rule    the cheapest LLM whose predicted quality reaches a threshold, with a named fall-back (SQL
//   routing). threshold_rule     two models; `fix_pool<2>(router, rule)`. guarded_rule       a Lagrangian rule whose λ
//   was tested, with a safe model; made by guard_quality and guard_cost
//                      (bound/guard.hpp).
//   mean_cost          cost estimates: one number per LLM (default). cell_cost: one per LLM and cell.
//   price_grid         prices from quality alone to the cheapest, of costs alone.
//   write_router, read_router   a router on disk; in uniroute/files.hpp.
//
// Rules that ask a second LLM after the first has answered are ladders (ladders.hpp). Not provided: rules with a random
// choice that is not a function of the prompt (a result could not be repeated).

#include <uniroute/route/best_quality_rule.hpp>
#include <uniroute/route/budget_rule.hpp>
#include <uniroute/route/capability_rule.hpp>
#include <uniroute/route/cell_cost.hpp>
#include <uniroute/route/fixed_pool_router.hpp>
#include <uniroute/route/guarded_rule.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <uniroute/route/mean_cost.hpp>
#include <uniroute/route/price_grid.hpp>
#include <uniroute/route/realised.hpp>
#include <uniroute/route/router.hpp>
#include <uniroute/route/sample_record.hpp>
#include <uniroute/route/threshold_rule.hpp>
