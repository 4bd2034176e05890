// RouterBench (2403.12031) as compositions: predictive routers, and cascades whose judge errs with probability ε,
// beside UniRoute and cascade routing (2410.10347), which asks before and after answers. At which ε, or which AUC of a
// verifier, does asking twice stop paying?
// ctest: --trials 2 --validation 150 --out out

#include <uniroute/experiment/command_line.hpp>
#include <uniroute/ladders.hpp>

namespace ur = uniroute;

/// AIQ as RouterBench's code has it: the area below the hull over the largest cost; its paper divides by the range of
/// costs (`aiq`).
ur::metric aiq_of_the_code(const ur::curve_view& v) { return ur::area(v.function(ur::hull_convention)); }

auto soft_cells(const ur::trial_data& t) {
  return ur::cell_predictor(ur::methods::cells(t, 25), ur::proximity_map{}, ur::shrunken_mean{});
}

ur::routing_method routing_with(const std::string& name, double auc, ur::cascade_routing_method_options options,
                                std::string about) {
  auto out = ur::cascade_routing_method(
      name, soft_cells,
      [auc](const ur::trial_data& t) { return ur::verifier(auc, ur::derive_seed(t.seed, ur::hash_text("verifier"))); },
      options);
  out.about = std::move(about);
  out.parameters = {{"auc", auc}};
  return out;
}

/// nArea of the variants of a family against one of their parameters, beside methods that do not have it.
void draw(ur::html_page& page, std::span<const ur::method_summary> all, const std::string& family,
          const std::string& parameter, const std::string& title, const std::string& axis, const std::string& caption) {
  std::vector<ur::chart_line> lines{{family, {}, false, 1, {}}};
  for (const auto& m : all) {
    if (!m.name.starts_with(family + "/") || m.parameters.empty() || !m.of("narea").mean) continue;
    lines[0].points.emplace_back(m.parameters[0].second, *m.of("narea").mean);
  }
  if (lines[0].points.size() < 2) return;
  std::sort(lines[0].points.begin(), lines[0].points.end());
  const double from = lines[0].points.front().first, to = lines[0].points.back().first;
  for (const auto& m : all) {
    if ((m.name != "kmeans_soft" && m.name != "zero_router" && m.name != "knn") || !m.of("narea").mean) continue;
    lines.push_back({m.name, {{from, *m.of("narea").mean}, {to, *m.of("narea").mean}}, true, lines.size() + 1, {}});
  }
  // Where it crosses what does not ask twice.
  std::string crossing;
  for (const auto& line : lines) {
    if (line.name != "kmeans_soft") continue;
    const double level = line.points[0].second;
    for (std::size_t i = 1; i < lines[0].points.size(); ++i) {
      const auto& [x0, y0] = lines[0].points[i - 1];
      const auto& [x1, y1] = lines[0].points[i];
      if ((y0 - level) * (y1 - level) < 0)
        crossing = ur::detail::text(" It crosses UniRoute's soft cells where ", parameter, " is ",
                                    ur::detail::fixed(x0 + (level - y0) / (y1 - y0) * (x1 - x0), 2), ".");
    }
  }
  page.figure(ur::line_chart(lines, {title, axis, "nArea"}), caption + crossing);
}

int main(int argc, char** argv) {
  ur::method_list methods{ur::zero_router(),        ur::best_single(),  ur::cheapest(),
                          ur::methods::tuned_knn(), ur::methods::mlp(), ur::methods::tuned_soft()};
  for (const double epsilon : {0.0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8})
    methods.push_back(ur::routerbench_cascade(epsilon));
  for (const double auc : {0.5, 0.7, 0.8, 0.9}) {
    methods.push_back(
        routing_with(ur::detail::text("cascade_routing/", auc), auc, {},
                     ur::detail::text("routing and cascading in one rule, with a verifier of AUC ", auc)));
  }
  methods.push_back(routing_with("routing_alone", 0.8, {.deepest = 1}, "the same beliefs, one LLM a prompt"));
  methods.push_back(routing_with("cascading_alone", 0.8, {.in_order = true},
                                 "the same beliefs, the cheapest first, with a verifier of AUC 0.8"));
  return ur::run_comparison(argc, argv,
                            {.title = "Routers, cascades and both",
                             .methods = methods,
                             .focus = "cascade_routing/0.8",
                             .against = {"zero_router", "routing_alone", "cascading_alone", "kmeans_soft"},
                             .metrics = {{"aiq_code", "AIQ (code)", aiq_of_the_code}},
                             .job = "routerbench",
                             .more = [](ur::html_page& page, std::span<const ur::method_summary> all) {
                               page.heading("How good must a judge be?");
                               draw(page, all, "cascade", "epsilon", "Cascades against the judge's error rate",
                                    "share of verdicts that are wrong", "A cascade from the cheapest LLM on.");
                               draw(page, all, "cascade_routing", "AUC", "Cascade routing against the verifier",
                                    "AUC of the verifier",
                                    "Routing and cascading in one rule: a verifier that knows nothing (.5) costs "
                                    "nothing, because it is not paid for.");
                             }});
}
