#pragma once

// What every pool-adaptive predictor promises, checked on a simulated world: for predictors whose predictions may leave
// [0, 1] and those whose may not.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/world/simulated_world.hpp>
#include <vector>

#include "support/allocation_counter.hpp"

namespace uniroute_tests {

/// 600 prompts in 16 dimensions: 300 to fit on, 200 of validation, 100 to ask.
inline const uniroute::routing_table& pool_table() {
  static const auto t = uniroute::simulated_world{{.dimension = 16}}.sample(600, 21).table;
  return t;
}

inline uniroute::embedding_matrix pool_prompts(std::size_t first, std::size_t count) {
  std::vector<std::size_t> rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i] = first + i;
  return uniroute::take_rows(pool_table().embeddings(), std::span<const std::size_t>(rows));
}

/// Losses of the first `models` LLMs on prompts to fit on.
inline uniroute::loss_matrix pool_seen(std::size_t models) {
  auto out = uniroute::make_matrix<double>(300, models);
  for (std::size_t i = 0; i < 300; ++i) {
    for (std::size_t h = 0; h < models; ++h) out(i, h) = pool_table().losses()(i, h);
  }
  return out;
}

inline std::vector<double> pool_outcomes(std::size_t model, bool gaps = false) {
  std::vector<double> out;
  for (std::size_t i = 0; i < 200; ++i)
    out.push_back(gaps && i % 3 == 0 ? uniroute::missing : pool_table().losses()(300 + i, model));
  return out;
}

/// `fresh` is not fitted; LLMs 0 to 3 are seen.
template <uniroute::pool_adaptive P>
void check_pool_semantics(const P& fresh) {
  namespace ur = uniroute;
  const auto a = pool_outcomes(6), b = pool_outcomes(7, true);
  const auto asked = pool_prompts(500, 100);
  P p = fresh;
  CHECK(p.dimension() == 0);
  CHECK_THROWS_AS(p.set_validation(pool_prompts(0, 3)), ur::not_fitted);
  CHECK_THROWS_AS(p.enroll("a", a), ur::not_fitted);
  p.fit(pool_prompts(0, 300), pool_seen(4));
  CHECK(p.dimension() == 16);
  CHECK_THROWS_AS(p.enroll("a", a), ur::not_fitted);
  p.set_validation(pool_prompts(300, 200));
  CHECK(p.size() == 0);

  // The pool, its order and its errors; a throw changes nothing.
  p.enroll("a", a);
  p.enroll("b", b);
  CHECK(p.size() == 2);
  CHECK(p.models()[1] == "b");
  const auto batch = p.predict(asked);
  std::vector<double> bad = pool_outcomes(1);
  bad[17] = 1.5;
  CHECK_THROWS_WITH(p.enroll("c", bad), Catch::Contains("losses[17] is 1.5"));
  CHECK_THROWS_WITH(p.enroll("a", a), Catch::Contains("enrolled already"));
  CHECK_THROWS_WITH(p.enroll("c", std::vector<double>(3, 0.0)), Catch::Contains("has 3 entries"));
  CHECK_THROWS_WITH(p.enroll("c", std::vector<double>(200, ur::missing)), Catch::Contains("all outcomes"));
  CHECK_THROWS_AS(p.retire("c"), std::invalid_argument);
  CHECK_THROWS_AS(p.predict(ur::make_matrix<float>(2, 3, 0.0F)), std::invalid_argument);
  auto wrong = pool_prompts(0, 300);
  wrong(3, 2) = std::nanf("");
  CHECK_THROWS_AS(p.fit(wrong, pool_seen(4)), std::domain_error);
  CHECK_THROWS_AS(p.fit(pool_prompts(0, 299), pool_seen(4)), std::invalid_argument);
  CHECK((p.predict(asked) == batch));

  // One prompt agrees with the batch, and allocates nothing after the first.
  std::vector<double> one(2);
  for (std::size_t i = 0; i < 100; ++i) {
    p.predict(ur::row(asked, i), one);
    for (std::size_t h = 0; h < 2; ++h) {
      CHECK(std::isfinite(batch(i, h)));
      CHECK(std::fabs(one[h] - batch(i, h)) <= 1e-6);
    }
  }
  {
    const allocation_counter counter;
    p.predict(ur::row(asked, 1), one);
    CHECK(counter.count() == 0);
  }

  // What is saved predicts the same and still takes LLMs in; what is broken is refused.
  P copy = fresh;
  copy.load(p.save());
  CHECK((copy.predict(asked) == batch));
  P q = p;
  for (P* each : {&q, &copy}) each->enroll("c", pool_outcomes(3, true));
  CHECK((copy.predict(asked) == q.predict(asked)));

  // An LLM's prediction depends on its own outcomes alone, bit for bit.
  P other = p;
  other.retire("a");
  CHECK(other.size() == 1);
  other.enroll("c", pool_outcomes(3));
  other.enroll("a", a);
  other.retire("c");
  const auto again = other.predict(asked);
  for (std::size_t i = 0; i < 100; ++i) {
    CHECK(again(i, 0) == batch(i, 1));
    CHECK(again(i, 1) == batch(i, 0));
  }
}

}  // namespace uniroute_tests
