// The main job: deferral curves of the paper's methods on a routing table, with LLMs that no method has seen, as a page
// to look at and JSON to compute with. All methods: paper_protocol.
// ctest: --trials 2 --validation 200 --out out

#include "experiment.hpp"
#include "methods.hpp"

namespace {

using namespace experiment;

std::string page(const source& from, const settings& s, const ur::protocol_result& result,
                 const std::vector<ur::method_summary>& all, const close_look& look) {
  ur::html_page page("Routing among unseen LLMs: " + from.table.name());
  add_introduction(page, from.table, s, from.encoder, result, all);
  const auto curves = curve_lines(all), gains = gain_lines(curves);
  page.heading("Deferral curves");
  page.figure(ur::line_chart(curves, {"Deferral curves", cost_axis, "mean quality"}),
              "Quality that each method buys with a mean cost; means over the trials. Upper left is better.");
  page.figure(
      ur::line_chart(gains, {"Gain over ZeroRouter", cost_axis, "quality above ZeroRouter", true}),
      "The same, less ZeroRouter: what looking at the prompt adds. cost_matched_mixture gives kmeans_soft's own "
      "shares of LLMs to prompts at random.");
  add_metrics(page, result, all);
  add_close_look(page, look);
  return std::move(page).finish();
}

int run(const settings& s) {
  ur::staged_directory staged("deferral_report", s.out, "results.json");
  const source from = open_source(s);
  announce(from);
  progress_bar bar;
  ur::protocol_options options;
  options.trials = s.trials;
  options.seed = s.seed;
  options.validation_prompts = s.validation;
  options.threads = s.threads;
  options.shuffled = "kmeans_soft";
  options.on_trial = [&](std::size_t done, std::size_t all) { bar.show(done, all); };
  const auto result = ur::run_protocol(from.table, from.embed, methods::main_methods(), options, from.expected);
  const auto all = summarise_all(result);
  const auto look = look_closely(from, s.seed, s.validation);
  staged.write("results.json", results_json(from.table, s, from.encoder, result, all).dump(1) + "\n");
  staged.write("trials.csv", trials_csv(result));
  staged.write("index.html", page(from, s, result, all, look));
  staged.write("curves.svg", ur::line_chart(curve_lines(all), {"Deferral curves: " + from.table.name(), cost_axis,
                                                               "mean quality", false, true}));
  staged.commit();
  print_result(s, result, all);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  s.out = "out/deferral_report";
  CLI::App app{"Deferral curves for LLMs that the router has never seen"};
  add_options(app, s);
  parse(app, argc, argv);
  return guard("deferral_report", [&] { return run(s); });
}
