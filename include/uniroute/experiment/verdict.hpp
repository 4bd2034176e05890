#pragma once

// What an experiment found, in a few sentences: what won, by how much, how sure, and what nothing can tell.

#include <cstddef>
#include <string>
#include <uniroute/detail/check.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/protocol.hpp>
#include <uniroute/experiment/summarise.hpp>
#include <uniroute/report/svg.hpp>
#include <vector>

namespace uniroute {

namespace detail {

inline std::string signed_number(double value) { return (value < 0 ? "" : "+") + fixed(value, 4); }
inline std::string p_text(double p) { return p < 0.001 ? "< .001" : fixed(p, 3); }
inline std::string p_clause(double p) { return p < 0.001 ? "p < .001" : "p = " + fixed(p, 3); }

/// Why some trials have no area.
inline std::string left_out_text(std::size_t left_out, std::size_t trials) {
  if (left_out == trials)
    return "The unseen LLMs of every trial all cost the same: there is nothing to trade quality against, so that "
           "areas, quality-neutral costs and gains are undefined. Quality is reported (peak); other costs can be taken "
           "with --cost.";
  return text("In ", left_out, " of ", trials,
              " trials the unseen LLMs all cost the same, and there is no area: these trials are left out of "
              "curves, means, intervals and tests (not of the peak).");
}

}  // namespace detail

/// Which router has the highest mean nArea, by how much it leads ZeroRouter and the next router, by the corrected test
/// at .05, and which differences these trials cannot tell from none. `all` as `summarise_all` gives it.
inline std::string verdict_of(const protocol_result& result, const std::vector<method_summary>& all) {
  using detail::fixed;
  using detail::text;
  const auto& zero = "zero_router";
  const method_summary *best = nullptr, *next = nullptr;
  std::size_t routers = 0;
  bool has_zero = false;
  for (const auto& m : all) {
    has_zero = has_zero || m.name == zero;
    if (m.role != method_role::router || !m.of("narea").mean) continue;
    ++routers;
    if (best == nullptr || *m.of("narea").mean > *best->of("narea").mean) {
      next = best;
      best = &m;
    } else if (next == nullptr || *m.of("narea").mean > *next->of("narea").mean) {
      next = &m;
    }
  }
  if (best == nullptr) {
    if (all.empty() || all[0].left_out == 0) return "There is no router among the methods: nothing to judge.";
    return detail::left_out_text(all[0].left_out, all[0].trials);
  }
  std::string out = text(best->name, routers > 1 ? text(" routes best of ", routers, " routers: nArea ") : ": nArea ",
                         fixed(*best->of("narea").mean, 4));
  const auto over_zero = has_zero ? compare(result, best->name, zero) : std::nullopt;
  if (over_zero) {
    const bool sure = over_zero->gain.p_value < 0.05;
    out += text(", ", detail::signed_number(over_zero->gain.mean),
                " over the best mixture that does not look at the "
                "prompt (ZeroRouter; 95% interval ",
                detail::signed_number(over_zero->gain.low), " to ", detail::signed_number(over_zero->gain.high),
                ", corrected ", detail::p_clause(over_zero->gain.p_value),
                sure ? over_zero->gain.mean > 0 ? ": it does gain" : ": it does lose" : ": it may be none", ")");
  }
  const auto over_next = next != nullptr ? compare(result, best->name, next->name) : std::nullopt;
  if (over_next) {
    const bool sure = over_next->gain.p_value < 0.05;
    out += text("; ", detail::signed_number(over_next->gain.mean), " over ", next->name, ", the next (",
                detail::p_clause(over_next->gain.p_value), sure ? ")" : ": the two cannot be told apart)");
  }
  out += ".";
  if (over_zero && over_zero->detectable > 0)
    out +=
        text(" With these LLMs and prompts the test finds a gain over ZeroRouter of ", fixed(over_zero->detectable, 4),
             " with probability .8; much smaller ones nothing here can tell from none, however many splits are run.");
  if (!has_zero) out += " ZeroRouter was not run: nothing here can tell what looking at the prompt adds.";
  if (has_zero && !over_zero)
    out += " A single trial that has an area gives no interval: nothing here can tell how sure that is.";
  return out;
}

}  // namespace uniroute
