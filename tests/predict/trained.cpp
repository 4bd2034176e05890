// The predictors that are trained on all LLMs at once.
#include <catch2/catch.hpp>
#include <cmath>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

#include "support/allocation_counter.hpp"

namespace ur = uniroute;

namespace {

ur::training_options quick(std::size_t epochs = 8) { return {.epochs = epochs, .batch = 32, .learning_rate = 5e-3}; }

struct network : ur::mlp {
  explicit network(ur::training_options training = quick()) : ur::mlp({.hidden = 8, .training = training}) {}
};
struct factors : ur::matrix_factorisation {
  explicit factors(ur::training_options training = quick())
      : ur::matrix_factorisation({.rank = 4, .training = training}) {}
};

const ur::routing_table& table() {
  static const auto t = ur::simulated_world{{.dimension = 8}}.sample(400, 21).table;
  return t;
}

/// Two LLMs that fail on opposite halves of the first coordinate, one that always fails, one never run.
struct halves {
  ur::embedding_matrix x = ur::make_matrix<float>(400, 3);
  ur::loss_matrix losses = ur::make_matrix<double>(400, 4);
  halves() {
    ur::random_engine draws(2);
    for (std::size_t i = 0; i < 400; ++i) {
      for (std::size_t j = 0; j < 3; ++j) x(i, j) = static_cast<float>(5 + 0.1 * draws.normal());
      losses(i, 0) = x(i, 0) > 5 ? 1 : 0;
      losses(i, 1) = i % 2 == 0 ? ur::missing : 1 - losses(i, 0);
      losses(i, 2) = 1;
      losses(i, 3) = ur::missing;
    }
  }
};

}  // namespace

TEMPLATE_TEST_CASE("a trained predictor learns what is there, and no more", "", network, factors) {
  static_assert(ur::predictor<TestType> && !ur::pool_adaptive<TestType>);
  const halves data;
  TestType p(quick(30));
  p.fit(data.x, data.losses);
  CHECK(p.size() == 4);
  CHECK(p.dimension() == 3);
  auto at = ur::make_matrix<float>(2, 3, 5.0F);
  at(0, 0) = 5.15F;
  at(1, 0) = 4.85F;
  const auto g = p.predict(at);
  CHECK(g(0, 0) > 0.8);
  CHECK(g(1, 0) < 0.2);
  CHECK(g(0, 1) < 0.2);
  CHECK(g(1, 1) > 0.8);
  CHECK(g(0, 2) > 0.95);
  // The LLM without outcomes is the mean over all of them: 400 of .5, 200 of .5, 400 of 1.
  CHECK(g(0, 3) == g(1, 3));
  double total = 0, count = 0;
  for (const double loss : data.losses) {
    if (ur::is_missing(loss)) continue;
    total += loss;
    count += 1;
  }
  CHECK(g(0, 3) == Approx(total / count).margin(0.02));
}

TEMPLATE_TEST_CASE("a trained predictor: batch and single predictions agree; nothing is allocated then", "", network,
                   factors) {
  TestType p;
  p.fit(table().embeddings(), table().losses());
  const auto batch = p.predict(table().embeddings());
  std::vector<double> one(p.size());
  double most = 0;
  for (std::size_t i = 0; i < 400; ++i) {
    p.predict(ur::row(table().embeddings(), i), one);
    for (std::size_t h = 0; h < p.size(); ++h) {
      most = std::max(most, std::fabs(one[h] - batch(i, h)));
      if (!(batch(i, h) >= 0 && batch(i, h) <= 1)) FAIL("a prediction is " << batch(i, h));
    }
  }
  CHECK(most < 1e-10);
  const uniroute_tests::allocation_counter counter;
  p.predict(ur::row(table().embeddings(), 1), one);
  CHECK(counter.count() == 0);
}

TEMPLATE_TEST_CASE("a trained predictor: same seed, same bits, saved and loaded too; another seed, others", "", network,
                   factors) {
  TestType one, other, copy;
  auto training = quick();
  training.seed = 2;
  TestType another(training);
  for (auto* p : {&one, &other, &another}) p->fit(table().embeddings(), table().losses());
  copy.load(one.save());
  const auto expected = one.predict(table().embeddings());
  CHECK((other.predict(table().embeddings()) == expected));
  CHECK((copy.predict(table().embeddings()) == expected));
  CHECK(!(another.predict(table().embeddings()) == expected));
  for (const char* name : {"hidden_offsets", "output_offsets"}) {
    auto broken = one.save();
    broken.set(name, std::vector<double>{1});
    CHECK_THROWS_AS(copy.load(broken), ur::format_error);
  }
  CHECK((copy.predict(table().embeddings()) == expected));
}

TEMPLATE_TEST_CASE("a trained predictor: progress, early stopping, and none", "", network, factors) {
  std::vector<ur::training_progress> seen;
  auto training = quick(40);
  training.patience = 2;
  training.learning_rate = 0.05;
  training.on_epoch = [&](const auto& p) { seen.push_back(p); };
  TestType p(training);
  p.fit(table().embeddings(), table().losses());
  REQUIRE(!seen.empty());
  std::size_t best = 0;
  for (std::size_t e = 0; e < seen.size(); ++e) {
    CHECK(seen[e].epoch == e + 1);
    if (seen[e].held_loss < seen[best].held_loss) best = e;
  }
  CHECK(seen.size() == std::min<std::size_t>(40, best + 1 + 2));
  seen.clear();
  training.held_prompts = 0;
  TestType all(training);
  all.fit(table().embeddings(), table().losses());
  CHECK(seen.size() == 40);
  CHECK(seen.back().held_loss == 0);
  CHECK(seen.back().loss < seen.front().loss);
}

TEMPLATE_TEST_CASE("a trained predictor: constant embeddings, constant outcomes, one prompt", "", network, factors) {
  TestType p;
  p.fit(ur::make_matrix<float>(50, 3, 1.0F), ur::make_matrix<double>(50, 2, 0.25));
  CHECK(p.predict(ur::make_matrix<float>(1, 3, 1.0F))(0, 0) == Approx(0.25).margin(0.03));
  p.fit(ur::make_matrix<float>(1, 3, 1.0F), ur::make_matrix<double>(1, 1, 1.0));
  CHECK(p.predict(ur::make_matrix<float>(1, 3, 1.0F))(0, 0) > 0.9);
}

TEMPLATE_TEST_CASE("a trained predictor refuses what makes no sense, and is then as it was", "", network, factors) {
  TestType p;
  CHECK_THROWS_AS(p.predict(table().embeddings()), ur::not_fitted);
  p.fit(table().embeddings(), table().losses());
  const auto before = p.predict(table().embeddings());
  const auto& x = table().embeddings();
  CHECK_THROWS_AS(p.fit(x, ur::make_matrix<double>(3, 2, 0.0)), std::invalid_argument);
  CHECK_THROWS_WITH(p.fit(x, ur::make_matrix<double>(400, 0)), Catch::Contains("losses has 0 columns"));
  CHECK_THROWS_WITH(p.fit(x, ur::make_matrix<double>(400, 2, ur::missing)),
                    Catch::Contains("fit: all of losses are missing, but at least one must be observed"));
  CHECK_THROWS_AS(p.fit(x, ur::make_matrix<double>(400, 2, 1.5)), std::domain_error);
  auto bad = x;
  bad(3, 1) = std::nanf("");
  CHECK_THROWS_AS(p.fit(bad, table().losses()), std::domain_error);
  CHECK_THROWS_AS(p.predict(ur::make_matrix<float>(2, 3, 0.0F)), std::invalid_argument);
  CHECK((p.predict(x) == before));
  auto training = quick();
  training.epochs = 0;
  CHECK_THROWS_AS(TestType(training), std::invalid_argument);
  training = quick();
  training.learning_rate = -1;
  CHECK_THROWS_AS(TestType(training), std::invalid_argument);
  training = quick();
  training.held_prompts = 1;
  CHECK_THROWS_AS(TestType(training), std::invalid_argument);
  CHECK_THROWS_WITH(ur::mlp({.hidden = 0}), "mlp: hidden is 0, but must be at least 1");
  CHECK_THROWS_WITH(ur::matrix_factorisation({.rank = 0}), "matrix_factorisation: rank is 0, but must be at least 1");
}
