// What every pool-adaptive predictor promises, and what each predicts by hand.
#include <catch2/catch.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

#include "support/allocation_counter.hpp"

namespace ur = uniroute;

namespace {

struct hard : ur::cell_predictor<> {
  hard() : cell_predictor(ur::kmeans{{.clusters = 7}}) {}
};
using soft_cells = ur::cell_predictor<ur::kmeans<>, ur::proximity_map, ur::shrunken_mean>;
struct soft : soft_cells {
  soft() : cell_predictor(ur::kmeans{{.clusters = 7}}) {}
};
struct plain : ur::cell_predictor<ur::single_cluster, ur::nearest_map, ur::cell_mean> {};
struct neighbours : ur::knn {
  neighbours() : ur::knn({.neighbours = 9}) {}
};
using learned_cells = ur::cell_predictor<ur::kmeans<>, ur::learned_map, ur::shrunken_mean>;
struct learned : learned_cells {
  learned() : cell_predictor(ur::kmeans{{.clusters = 7}}) {}
};
using levelled_cells = ur::cell_predictor<ur::kmeans<>, ur::proximity_map, ur::two_level_mean>;
struct levelled : levelled_cells {
  levelled() : cell_predictor(ur::kmeans{{.clusters = 9}}) {}
};
struct prox : ur::prox_cells<> {
  prox() : blended_cells(ur::kmeans{{.clusters = 7}}) {}
};
struct near_prox : ur::prox_neighbours {
  near_prox() : ur::prox_neighbours({.neighbours = 9}) {}
};
struct top : ur::avengers {
  top() : blended_cells(ur::kmeans{{.clusters = 7}}, ur::top_cells{{.cells = 3, .bandwidth = 2}}) {}
};

const ur::routing_table& table() {
  static const auto t = ur::simulated_world{{.dimension = 16}}.sample(600, 21).table;
  return t;
}

ur::embedding_matrix part(std::size_t first, std::size_t count) {
  std::vector<std::size_t> rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i] = first + i;
  return ur::take_rows(table().embeddings(), std::span<const std::size_t>(rows));
}

std::vector<double> outcomes(std::size_t model, bool gaps = false) {
  std::vector<double> out;
  for (std::size_t i = 0; i < 200; ++i)
    out.push_back(gaps && i % 3 == 0 ? ur::missing : table().losses()(300 + i, model));
  return out;
}

/// Three LLMs on the training prompts, some outcomes missing.
ur::loss_matrix seen() {
  auto out = ur::make_matrix<double>(300, 3);
  for (std::size_t i = 0; i < 300; ++i) {
    for (std::size_t h = 0; h < 3; ++h) out(i, h) = (i + h) % 7 == 0 ? ur::missing : table().losses()(i, 10 + h);
  }
  return out;
}

template <class P>
P fitted() {
  P p;
  p.fit(part(0, 300), seen());
  p.set_validation(part(300, 200));
  return p;
}

}  // namespace

TEMPLATE_TEST_CASE("every predictor: the pool, its order and its errors", "", hard, soft, plain, neighbours, learned,
                   levelled, prox, near_prox, top) {
  static_assert(ur::pool_adaptive<TestType>);
  TestType fresh;
  CHECK_THROWS_AS(fresh.set_validation(part(0, 3)), ur::not_fitted);
  CHECK_THROWS_AS(fresh.enroll("a", outcomes(0)), ur::not_fitted);
  auto p = fitted<TestType>();
  CHECK(p.size() == 0);
  p.enroll("a", outcomes(0));
  p.enroll("b", outcomes(5, true));
  CHECK(p.size() == 2);
  CHECK(p.models()[1] == "b");
  const auto before = p.predict(part(500, 50));
  std::vector<double> bad = outcomes(1);
  bad[17] = 1.5;
  CHECK_THROWS_WITH(p.enroll("c", bad), Catch::Contains("losses[17] is 1.5"));
  CHECK_THROWS_WITH(p.enroll("a", outcomes(0)), Catch::Contains("enrolled already"));
  CHECK_THROWS_WITH(p.enroll("", outcomes(0)), Catch::Contains("name is empty"));
  CHECK_THROWS_WITH(p.enroll("c", std::vector<double>(3, 0.0)),
                    Catch::Contains("3 entries, but the validation sample has 200"));
  CHECK_THROWS_WITH(p.enroll("c", std::vector<double>(200, ur::missing)), Catch::Contains("all outcomes"));
  CHECK_THROWS_AS(p.retire("c"), std::invalid_argument);
  CHECK_THROWS_AS(p.predict(ur::make_matrix<float>(2, 3, 0.0F)), std::invalid_argument);
  CHECK((p.predict(part(500, 50)) == before));
  p.retire("a");
  CHECK(p.size() == 1);
  CHECK(p.predict(part(500, 1))(0, 0) == before(0, 1));
}

TEMPLATE_TEST_CASE("every predictor: predictions are losses, and single ones agree with the batch", "", hard, soft,
                   plain, neighbours, learned, levelled, prox, near_prox, top) {
  auto p = fitted<TestType>();
  p.enroll("a", outcomes(0));
  p.enroll("b", outcomes(5, true));
  const auto x = part(500, 100);
  const auto batch = p.predict(x);
  std::vector<double> one(2);
  for (std::size_t i = 0; i < 100; ++i) {
    p.predict(ur::row(x, i), one);
    for (std::size_t h = 0; h < 2; ++h) {
      CHECK((batch(i, h) >= 0 && batch(i, h) <= 1));
      CHECK(std::fabs(one[h] - batch(i, h)) <= 1e-6);
    }
  }
}

TEMPLATE_TEST_CASE("every predictor: the order of enrolment changes no bit", "", hard, soft, plain, neighbours, learned,
                   levelled, prox, near_prox, top) {
  auto one = fitted<TestType>(), other = fitted<TestType>();
  one.enroll("a", outcomes(0));
  one.enroll("b", outcomes(5, true));
  other.enroll("c", outcomes(9));
  other.enroll("b", outcomes(5, true));
  other.enroll("a", outcomes(0));
  other.retire("c");
  const auto x = part(500, 100);
  const auto first = one.predict(x), second = other.predict(x);
  for (std::size_t i = 0; i < 100; ++i) {
    CHECK(first(i, 0) == second(i, 1));
    CHECK(first(i, 1) == second(i, 0));
  }
}

TEMPLATE_TEST_CASE("every predictor: what is saved predicts the same and still takes LLMs in", "", hard, soft, plain,
                   neighbours, learned, levelled, prox, near_prox, top) {
  auto p = fitted<TestType>();
  p.enroll("a", outcomes(0));
  TestType copy;
  copy.load(p.save());
  for (auto* q : {&p, &copy}) q->enroll("b", outcomes(5, true));
  CHECK((copy.predict(part(500, 100)) == p.predict(part(500, 100))));
  ur::state broken = p.save();
  broken.set("models", std::vector<std::string>{"only one"});
  CHECK_THROWS_AS(copy.load(broken), ur::format_error);
  CHECK(copy.size() == 2);
}

TEMPLATE_TEST_CASE("every predictor: one prompt allocates nothing after the first", "", hard, soft, plain, neighbours,
                   learned, levelled, prox, near_prox, top) {
  auto p = fitted<TestType>();
  p.enroll("a", outcomes(0));
  const auto x = part(500, 2);
  std::vector<double> out(1);
  p.predict(ur::row(x, 0), out);
  const uniroute_tests::allocation_counter counter;
  p.predict(ur::row(x, 1), out);
  CHECK(counter.count() == 0);
}

TEST_CASE("a cell predictor is its profile at the prompt's cell; missing outcomes are skipped") {
  auto x = ur::make_matrix<float>(4, 1);
  x(0, 0) = x(1, 0) = 0;
  x(2, 0) = x(3, 0) = 9;
  ur::cell_predictor p(ur::kmeans{{.clusters = 2}}, ur::nearest_map{}, ur::cell_mean{});
  p.fit(x, ur::make_matrix<double>(4, 0));
  p.set_validation(x);
  p.enroll("a", std::vector<double>{1, ur::missing, 0, 0.5});
  p.enroll("b", std::vector<double>{0, 1, ur::missing, ur::missing});
  const auto g = p.predict(x);
  CHECK(g(0, 0) == 1);
  CHECK(g(2, 0) == .25);
  CHECK(g(0, 1) == .5);
  CHECK(g(3, 1) == .5);  // an empty cell falls back to the overall mean
  CHECK(p.profile_counts()(1, p.map().label(ur::row(x, 3))) == 0);
}

TEST_CASE("K-NN is the mean over the nearest that were observed, the model's mean where none was") {
  auto x = ur::make_matrix<float>(4, 1);
  for (std::size_t i = 0; i < 4; ++i) x(i, 0) = static_cast<float>(i);
  ur::knn p{{.neighbours = 2}};
  p.fit(x, ur::make_matrix<double>(4, 0));
  p.set_validation(x);
  p.enroll("a", std::vector<double>{1, 0, 0, 1});
  p.enroll("b", std::vector<double>{ur::missing, ur::missing, 0, 1});
  auto at = ur::make_matrix<float>(1, 1, 0.4F);
  CHECK(p.predict(at)(0, 0) == .5);
  CHECK(p.predict(at)(0, 1) == .5);
  at(0, 0) = 2.4F;
  CHECK(p.predict(at)(0, 1) == .5);
  ur::knn all{{.neighbours = 100}};
  all.fit(x, ur::make_matrix<double>(4, 0));
  all.set_validation(x);
  all.enroll("a", std::vector<double>{1, 0, 0, 1});
  CHECK(all.predict(at)(0, 0) == .5);
  CHECK_THROWS_AS(ur::knn({.neighbours = 0}), std::invalid_argument);
}

TEST_CASE("exact K-NN agrees with sorting all distances") {
  const auto x = part(0, 300), asked = part(300, 60);
  ur::knn p{{.neighbours = 11}};
  p.fit(x, ur::make_matrix<double>(300, 0));
  p.set_validation(x);
  std::vector<double> losses(300);
  for (std::size_t i = 0; i < 300; ++i) losses[i] = static_cast<double>(i) / 300;
  p.enroll("a", losses);
  const auto g = p.predict(asked);
  for (std::size_t q = 0; q < 60; ++q) {
    std::vector<std::pair<double, std::size_t>> distance;
    for (std::size_t i = 0; i < 300; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < ur::columns(x); ++j)
        sum += std::pow(static_cast<double>(x(i, j)) - static_cast<double>(asked(q, j)), 2);
      distance.emplace_back(sum, i);
    }
    std::sort(distance.begin(), distance.end());
    double mean = 0;
    for (std::size_t n = 0; n < 11; ++n) mean += losses[distance[n].second] / 11;
    CHECK(g(q, 0) == Approx(mean).epsilon(1e-12));
  }
}
