#pragma once

// Ladders on a table whose outcomes are known: nothing is run, and a ladder sees only what it has paid for.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/ladder.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/deferral_curve.hpp>
#include <uniroute/evaluate/trace_router.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/route/threshold_cascade.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What a ladder sees and pays on n prompts with M LLMs.
struct ladder_sample {
  const matrix<double>& scores;  ///< n x M, of every answer; revealed once the LLM was asked
  const cost_matrix& costs;      ///< n x M, realised
  const cost_matrix& estimates;  ///< n x M or 1 x M: what is known of costs before; the realised ones will do
  const loss_matrix& predicted;  ///< n x M, 1 x M or 0 x 0: losses predicted before any answer
};

/// What came of a ladder.
struct ladder_run {
  decisions kept;                    ///< which answers were kept, at which setting, and what was paid in all
  std::vector<std::uint32_t> asked;  ///< how many LLMs, n
};

namespace detail {

inline void check_ladder_sample(std::string_view where, const ladder_sample& s) {
  const std::size_t n = rows(s.costs), m = columns(s.costs);
  require(n != 0 && m != 0, where, ": costs is ", n, " x ", m, ", but must be at least 1 x 1");
  require(rows(s.scores) == n && columns(s.scores) == m, where, ": scores is ", rows(s.scores), " x ",
          columns(s.scores), ", but must be ", n, " x ", m);
  require(columns(s.estimates) == m && (rows(s.estimates) == n || rows(s.estimates) == 1), where, ": estimates is ",
          rows(s.estimates), " x ", columns(s.estimates), ", but must be ", n, " x ", m, " or have one row");
  require(s.predicted.size() == 0 || (columns(s.predicted) == m && (rows(s.predicted) == n || rows(s.predicted) == 1)),
          where, ": predicted is ", rows(s.predicted), " x ", columns(s.predicted), ", but must be ", n, " x ", m,
          ", have one row, or be 0 x 0");
}

}  // namespace detail

/// Lets a ladder decide for each prompt. Throws std::invalid_argument for shapes, std::logic_error for a ladder that
/// asks no LLM at first, one twice, one that is not there, or keeps an answer that it did not ask for.
template <ladder Ladder>
ladder_run run_ladder(const Ladder& ladder, const ladder_sample& s, double setting = 0) {
  constexpr auto where = "run_ladder";
  detail::check_ladder_sample(where, s);
  const std::size_t n = rows(s.costs), m = columns(s.costs);
  ladder_run out;
  out.kept.setting = setting;
  std::vector<double> seen(m, missing);
  std::vector<std::uint32_t> asked;
  asked.reserve(m);
  for (std::size_t i = 0; i < n; ++i) {
    std::fill(seen.begin(), seen.end(), missing);
    asked.clear();
    ladder_view view;
    view.scores = seen;
    view.costs = row(s.estimates, rows(s.estimates) == 1 ? 0 : i);
    if (s.predicted.size() != 0) view.predicted_losses = row(s.predicted, rows(s.predicted) == 1 ? 0 : i);
    for (;;) {
      view.asked = asked;
      const auto next = ladder.next(view);
      if (!next) break;
      detail::require<std::logic_error>(*next < m, where, ": the ladder asks LLM ", *next, ", but must ask one below ",
                                        m);
      detail::require<std::logic_error>(std::find(asked.begin(), asked.end(), *next) == asked.end(), where,
                                        ": the ladder asks LLM ", *next, " twice, but must ask none twice");
      asked.push_back(*next);
      seen[*next] = s.scores(i, *next);
      view.spent += s.costs(i, *next);
    }
    detail::require<std::logic_error>(!asked.empty(), where, ": the ladder asks no LLM, but the first must run");
    const std::uint32_t kept = ladder.keep(view);
    detail::require<std::logic_error>(std::find(asked.begin(), asked.end(), kept) != asked.end(), where,
                                      ": the ladder keeps the answer of LLM ", kept, ", but did not ask it");
    out.kept.choices.push_back(kept);
    out.kept.costs.push_back(view.spent);
    out.asked.push_back(static_cast<std::uint32_t>(asked.size()));
  }
  return out;
}

namespace detail {

/// The curve along a dial that lets every prompt climb step by step: `level(i, j)` is the dial at which prompt i goes
/// from step j to step j + 1 of the order (never falling in j; infinity: never).
template <class Level>
deferral_curve trace_climb(std::span<const std::uint32_t> order, const loss_matrix& losses, const cost_matrix& costs,
                           Level&& level, deferral_curve_options options) {
  const std::size_t n = rows(losses);
  choice_tally tally(losses);
  std::vector<model_switch> switches;
  std::vector<std::pair<double, std::uint32_t>> by_level;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t first = order[0];
    tally.choose(first, losses(i, first), costs(i, first));
    double before = -std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j + 1 < order.size(); ++j) {
      before = std::max(before, level(i, j));
      if (before == std::numeric_limits<double>::infinity()) break;
      const std::uint32_t from = order[j], to = order[j + 1];
      by_level.emplace_back(before, static_cast<std::uint32_t>(switches.size()));
      switches.push_back({static_cast<std::uint32_t>(i), from, to, losses(i, from), losses(i, to), 0, costs(i, to)});
    }
  }
  std::sort(by_level.begin(), by_level.end());
  deferral_curve out;
  std::vector<float> shares;
  const auto record = [&](double at) {
    out.points.push_back(tally.point(at));
    if (!options.shares) return;
    for (const double count : tally.chosen()) shares.push_back(static_cast<float>(count / static_cast<double>(n)));
  };
  // Points go from the dearest to the cheapest, as λ does for routers.
  record(by_level.empty() ? 0 : by_level.front().first);
  for (std::size_t at = 0; at < by_level.size();) {
    const double now = by_level[at].first;
    for (; at < by_level.size() && by_level[at].first == now; ++at) tally.apply(switches[by_level[at].second]);
    record(now);
  }
  std::reverse(out.points.begin(), out.points.end());
  if (options.shares) {
    const std::size_t m = columns(losses), points = out.points.size();
    out.shares = make_matrix<float>(points, m);
    for (std::size_t p = 0; p < points; ++p)
      std::copy_n(shares.data() + (points - 1 - p) * m, m, row(out.shares, p).begin());
  }
  return out;
}

inline void check_cascade(std::string_view where, const threshold_cascade& cascade, const loss_matrix& losses,
                          const matrix<double>& scores, const cost_matrix& costs) {
  const std::size_t n = rows(losses), m = columns(losses);
  require(n != 0 && m != 0, where, ": losses is ", n, " x ", m, ", but must be at least 1 x 1");
  require(scores.shape() == losses.shape() && costs.shape() == losses.shape(), where, ": scores is ", rows(scores),
          " x ", columns(scores), " and costs ", rows(costs), " x ", columns(costs), ", but must be ", n, " x ", m);
  require(cascade.options().keeps == kept_answer::last, where,
          ": the cascade keeps the best answer, but the exact curve is that of the last (run_ladder takes any)");
  for (const std::uint32_t h : cascade.options().order)
    require(h < m, where, ": order has LLM ", h, ", but must have ones below ", m);
}

}  // namespace detail

/// The curve of a cascade along every cap, exactly: RouterBench sweeps the cap at a fixed threshold. The setting of a
/// point is its cap. Costs before an answer are the realised ones. One pass and a sort of at most n (order − 1) steps.
/// Throws std::invalid_argument for shapes, an LLM that is not there, and a cascade that keeps the best answer.
inline deferral_curve trace_caps(const threshold_cascade& cascade, const matrix<double>& scores,
                                 const loss_matrix& losses, const cost_matrix& costs,
                                 deferral_curve_options options = {}) {
  detail::check_cascade("trace_caps", cascade, losses, scores, costs);
  const auto& o = cascade.options();
  std::vector<double> spent = column(costs, o.order[0]);
  return detail::trace_climb(
      o.order, losses, costs,
      [&](std::size_t i, std::size_t j) {
        if (scores(i, o.order[j]) >= o.threshold) return std::numeric_limits<double>::infinity();
        return spent[i] += costs(i, o.order[j + 1]);
      },
      options);
}

/// The same along every threshold, at the cascade's cap. The setting of a point is a threshold just above which more is
/// asked.
inline deferral_curve trace_thresholds(const threshold_cascade& cascade, const matrix<double>& scores,
                                       const loss_matrix& losses, const cost_matrix& costs,
                                       deferral_curve_options options = {}) {
  detail::check_cascade("trace_thresholds", cascade, losses, scores, costs);
  const auto& o = cascade.options();
  std::vector<double> spent = column(costs, o.order[0]);
  return detail::trace_climb(
      o.order, losses, costs,
      [&](std::size_t i, std::size_t j) {
        const double score = scores(i, o.order[j]);
        if ((spent[i] += costs(i, o.order[j + 1])) > o.cap) return std::numeric_limits<double>::infinity();
        return is_missing(score) ? -std::numeric_limits<double>::infinity() : score;
      },
      options);
}

/// The curve of ladders at their settings, each run on its own. Throws as `run_ladder` and `trace_decisions`.
template <ladder Ladder>
deferral_curve trace_ladders(std::span<const std::pair<double, Ladder>> ladders, const ladder_sample& s,
                             const loss_matrix& losses, deferral_curve_options options = {}) {
  std::vector<decisions> decided;
  for (const auto& [setting, ladder] : ladders) decided.push_back(run_ladder(ladder, s, setting).kept);
  return trace_decisions(decided, losses, s.costs, options);
}

}  // namespace uniroute
