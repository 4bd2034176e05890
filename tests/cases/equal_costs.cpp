// A trial in which the unseen LLMs all cost the same says nothing of trade-offs, and must not end the table.

#include <catch2/catch.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

/// Nine LLMs, `dear` of them at cost 2, the others at 1.
ur::protocol_result run(std::size_t dear) {
  auto parts = ur::simulated_world{{.dimension = 8}}.sample(200, 1).table.parts();
  parts.models.resize(9);
  auto losses = ur::make_matrix<double>(200, 9), costs = losses;
  for (std::size_t i = 0; i < 200; ++i) {
    for (std::size_t h = 0; h < 9; ++h) {
      losses(i, h) = parts.losses(i, h);
      costs(i, h) = h < dear ? 2 : 1;
    }
  }
  parts.losses = losses;
  parts.costs = costs;
  const ur::routing_table table(parts);
  const ur::embed_function embed = [&](std::span<const std::size_t>) { return table.embeddings(); };
  const std::vector<ur::routing_method> methods{
      ur::zero_router(),
      ur::predictor_method("knn", [](const ur::trial_data&) { return ur::knn{{.neighbours = 10}}; })};
  return ur::run_protocol(table, embed, methods, {.trials = 12, .validation_prompts = 40});
}

}  // namespace

TEST_CASE("trials in which all unseen LLMs cost the same are left out of means and tests, and counted") {
  const auto result = run(2);  // 3 of 9 unseen: with probability 5/12 none of them is dear
  std::size_t defined = 0;
  double sum = 0, gains = 0;
  const auto &knn = result.method("knn"), &zero = result.method("zero_router");
  for (std::size_t t = 0; t < 12; ++t) {
    if (!knn.trials[t].of("narea")) continue;
    ++defined;
    sum += *knn.trials[t].of("narea");
    gains += *knn.trials[t].of("narea") - *zero.trials[t].of("narea");
  }
  REQUIRE(defined > 2);
  REQUIRE(defined < 12);
  const auto s = ur::summarise(result, knn);
  CHECK(s.left_out == 12 - defined);
  REQUIRE(s.of("narea").interval);
  CHECK(s.of("narea").interval->mean == Approx(sum / static_cast<double>(defined)));
  REQUIRE(s.gain_over_zero);
  CHECK(s.gain_over_zero->mean.mean == Approx(gains / static_cast<double>(defined)));
  CHECK(s.gain_over_zero->over_models);
  CHECK(s.of("qnc").reached <= 1);
  std::vector<std::size_t> kept;
  CHECK(ur::paired_gains(knn, zero, &kept).size() == defined);
  CHECK(kept.size() == defined);
}

TEST_CASE("where all LLMs cost the same there is no area, and quality is reported") {
  const auto result = run(0);
  const auto s = ur::summarise(result, result.method("knn"));
  CHECK(s.left_out == 12);
  CHECK_FALSE(s.of("narea").mean);
  CHECK_FALSE(s.gain_over_zero);
  CHECK(*s.of("peak").mean > .1);
  CHECK(s.curve[0] > .1);
}
