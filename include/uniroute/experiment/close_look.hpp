#pragma once

// One method looked at closely, in one trial: who is predicted to be good at what, and who gets which prompts.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/evaluate/deferral_curve.hpp>
#include <uniroute/evaluate/metrics.hpp>
#include <uniroute/experiment/draw_trial.hpp>
#include <uniroute/experiment/graded_trial.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/protocol.hpp>
#include <uniroute/experiment/protocol_options.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/observed.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// One method in the first trial of an experiment; LLMs from the cheapest.
struct close_look {
  std::string method;
  std::vector<std::string> cells, models;              ///< K-means cells by their commonest category; LLMs
  matrix<double> quality = make_matrix<double>(0, 0);  ///< cells x LLMs, mean predicted; 0 x 0: none predicted
  std::vector<double> cost;                            ///< relative cost, 0 to 1
  matrix<double> shares = make_matrix<double>(0, 0);   ///< cost x LLMs, of the test prompts
};

/// What `method` predicts and decides in trial `options.first_trial`: predictions averaged over the test prompts of
/// each of at most 12 K-means cells, shares at the point of the curve nearest each relative cost.
template <class Loss>
close_look look_closely(const basic_routing_table<Loss>& table, const embed_function& embed,
                        const routing_method& method, const protocol_options& options) {
  const graded_trial trial = detail::make_trial(table, make_matrix<double>(0, 0), embed, options, options.first_trial);
  const trial_data& seen = trial.seen;
  const prediction& p = predict_once(method, seen);
  const auto costs = column_means(seen.validation_costs);
  std::vector<std::size_t> order(seen.unseen.size());  // cheapest first
  for (std::size_t h = 0; h < order.size(); ++h) order[h] = h;
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return costs(0, a) < costs(0, b); });
  close_look out;
  out.method = method.name;
  for (const std::size_t h : order) out.models.push_back(seen.unseen[h]);

  if (p.losses.size() != 0) {
    kmeans<> cells{{.clusters = std::min<std::size_t>(12, rows(seen.train_x)), .seed = seen.seed}};
    cells.fit(seen.train_x);
    const auto labels = cells.assign(seen.test_x);
    struct cell {
      std::size_t size = 0;
      std::map<std::string, std::size_t> categories;
      std::vector<double> quality;
    };
    std::vector<cell> all(cells.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
      cell& of = all[labels[i]];
      of.quality.resize(order.size(), 0.0);
      ++of.size;
      if (!seen.test.categories.empty()) ++of.categories[std::string(seen.test.categories[i])];
      const auto losses = row(p.losses, rows(p.losses) == 1 ? 0 : i);
      for (std::size_t h = 0; h < order.size(); ++h) of.quality[h] += 1 - losses[order[h]];
    }
    out.quality = make_matrix<double>(all.size(), order.size(), missing);
    for (std::size_t k = 0; k < all.size(); ++k) {
      const cell& of = all[k];
      const auto most = std::max_element(of.categories.begin(), of.categories.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
      const std::string name = of.categories.empty() ? "cell " + std::to_string(k + 1) : most->first;
      out.cells.push_back(name + " (" + std::to_string(of.size) + ")");
      for (std::size_t h = 0; of.size != 0 && h < order.size(); ++h)
        out.quality(k, h) = of.quality[h] / static_cast<double>(of.size);
    }
  }
  const auto curve = trace_prediction(p, trial.losses, trial.costs, {.shares = true});
  const auto range = range_of(single_models(trial.losses, trial.costs));
  out.shares = make_matrix<double>(curve_grid, order.size());
  for (std::size_t g = 0; g < curve_grid; ++g) {
    const double share = static_cast<double>(g) / static_cast<double>(curve_grid - 1);
    const double at = range.cheapest_cost + share * (range.dearest_cost - range.cheapest_cost);
    std::size_t nearest = 0;
    for (std::size_t i = 0; i < curve.points.size(); ++i) {
      if (std::fabs(curve.points[i].cost - at) < std::fabs(curve.points[nearest].cost - at)) nearest = i;
    }
    out.cost.push_back(share);
    for (std::size_t h = 0; h < order.size(); ++h)
      out.shares(g, h) = static_cast<double>(curve.shares(nearest, order[h]));
  }
  return out;
}

}  // namespace uniroute
