// Predictions of one prompt by a mixture, and a mixture that loses an LLM.

#include <catch2/catch.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

TEST_CASE("a mixture predicts one prompt as a batch, and forgets the right LLM") {
  const auto table = ur::simulated_world{}.sample(1200, 1).table;
  const auto split = ur::split(table, {.seed = 3});
  const auto& x = split.test.embeddings();
  ur::stacked mix(ur::stacked_options{.labels = split.validation.size()}, ur::ridge{},
                  ur::cell_predictor{ur::kmeans{{.clusters = 4}}, ur::proximity_map{}, ur::shrunken_mean{}});
  mix.fit(split.train.embeddings(), split.train.losses());
  REQUIRE((mix.weights()[0] != 0 || mix.weights()[1] != 0));
  mix.set_validation(split.validation.embeddings());
  for (const auto& name : split.unseen)
    mix.enroll(name, ur::column(split.validation.losses(), split.validation.model_index(name)));
  const auto check = [&](const auto& predictor) {
    const auto batch = predictor.predict(x);
    std::vector<double> one(predictor.size());
    for (std::size_t i = 0; i < ur::rows(x); i += 7) {
      predictor.predict(ur::row(x, i), std::span<double>(one));
      for (std::size_t h = 0; h < one.size(); ++h) CHECK(one[h] == Approx(batch(i, h)).margin(1e-6));
    }
    return batch;
  };
  const auto all = check(mix);
  auto fewer = mix;
  fewer.retire(split.unseen[1]);
  REQUIRE(fewer.size() == mix.size() - 1);
  const auto left = check(fewer);
  for (std::size_t h = 0; h < left.shape(1); ++h) {
    CHECK(fewer.models()[h] == mix.models()[h < 1 ? h : h + 1]);
    for (std::size_t i = 0; i < ur::rows(x); i += 5)
      CHECK(left(i, h) == Approx(all(i, h < 1 ? h : h + 1)).margin(1e-9));
  }
  // A mixture in a mixture.
  ur::stacked outer(ur::stacked_options{.labels = split.validation.size()}, mix, ur::knn{{.neighbours = 20}});
  outer.fit(split.train.embeddings(), split.train.losses());
  outer.set_validation(split.validation.embeddings());
  for (const auto& name : split.unseen)
    outer.enroll(name, ur::column(split.validation.losses(), split.validation.model_index(name)));
  check(outer);
}
