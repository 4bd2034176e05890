// Designs choose with the probabilities they say, and what they choose says of all candidates what it should.
#include <catch2/catch.hpp>
#include <uniroute/cluster/cluster.hpp>
#include <uniroute/enroll/enroll.hpp>

namespace ur = uniroute;

namespace {

/// A transform that has no more than the concept asks, and changes nothing.
struct same_features {
  std::size_t d = 0;
  void fit(const ur::embedding_matrix& x, const ur::loss_matrix&) { d = ur::columns(x); }
  ur::embedding_matrix apply(const ur::embedding_matrix& x) const { return x; }
  void apply(ur::embedding_view x, std::span<float> out) const { std::copy(x.begin(), x.end(), out.begin()); }
  std::size_t dimension() const { return d; }
  std::size_t input_dimension() const { return d; }
  ur::state save() const {
    ur::state s;
    s.set("d", std::uint64_t{d});
    return s;
  }
  void load(const ur::state& s) { d = s.get<std::uint64_t>("d"); }
};

using cells = ur::stratified_design<ur::kmeans<>>;
struct proportional : cells {
  proportional() : cells({}, ur::kmeans{{.clusters = 4}}) {}
};
struct neyman : cells {
  neyman() : cells({.allocation = ur::label_allocation::neyman}, ur::kmeans{{.clusters = 4}}) {}
};
struct contested : ur::disagreement_design {
  contested() : disagreement_design({.neighbours = 5}) {}
};
using leverage = ur::leverage_design<same_features>;

constexpr std::size_t candidate_count = 60, dimension = 3;

/// Prompts in four clumps; LLMs err in one clump by chance, in the others alike.
struct problem {
  ur::embedding_matrix training = ur::make_matrix<float>(160, dimension);
  ur::loss_matrix losses = ur::make_matrix<double>(160, 6);
  ur::embedding_matrix candidates = ur::make_matrix<float>(candidate_count, dimension);
  std::vector<double> labels;  ///< of a new LLM, on every candidate

  problem() {
    ur::random_engine draws(5);
    const auto place = [&](ur::embedding_matrix& x, std::size_t i) {
      const std::size_t clump = draws.below(4);
      for (std::size_t j = 0; j < dimension; ++j)
        x(i, j) = static_cast<float>((j == clump ? 3.0 : 0.0) + 0.3 * draws.normal());
      return clump;
    };
    const auto loss = [&](std::size_t clump) {
      return clump == 3 ? static_cast<double>(draws.below(2)) : (draws.uniform() < 0.1 ? 1.0 : 0.0);
    };
    for (std::size_t i = 0; i < ur::rows(training); ++i) {
      const std::size_t clump = place(training, i);
      for (double& value : ur::row(losses, i)) value = loss(clump);
    }
    for (std::size_t i = 0; i < candidate_count; ++i) labels.push_back(loss(place(candidates, i)));
  }
};

const problem& world() {
  static const problem p;
  return p;
}

template <class Design>
Design fitted() {
  Design design;
  design.fit(world().training, world().losses);
  return design;
}

std::vector<double> labels_of(const ur::label_sample& sample, const std::vector<double>& of) {
  std::vector<double> out;
  for (const std::size_t i : sample.prompts) out.push_back(of[i]);
  return out;
}

bool equal(const ur::label_sample& a, const ur::label_sample& b) {
  return a.prompts == b.prompts && a.weights == b.weights && a.inclusion == b.inclusion;
}

struct moments {
  double mean = 0, variance = 0;
};

/// Mean and variance of `estimate(seed)` over `draws` seeds.
template <class Estimate>
moments over_seeds(std::size_t draws, Estimate&& estimate) {
  std::vector<double> values;
  moments out;
  for (std::size_t seed = 0; seed < draws; ++seed) {
    values.push_back(estimate(seed));
    out.mean += values.back() / static_cast<double>(draws);
  }
  for (const double v : values) out.variance += (v - out.mean) * (v - out.mean) / static_cast<double>(draws - 1);
  return out;
}

}  // namespace

TEMPLATE_TEST_CASE("every design: a sample of the budget's size, its probabilities and its errors", "",
                   ur::random_design, ur::spread_design, proportional, neyman, contested, leverage) {
  static_assert(ur::label_design<TestType>);
  TestType fresh;
  CHECK_THROWS_AS(fresh.choose(world().candidates, 5, 1), ur::not_fitted);
  CHECK_THROWS_AS(fresh.fit(world().training, ur::make_matrix<double>(3, 1, 0.5)), std::invalid_argument);
  CHECK_THROWS_AS(fresh.fit(world().training, ur::make_matrix<double>(160, 1, 2.0)), std::domain_error);
  CHECK_THROWS_AS(fresh.choose(world().candidates, 5, 1), ur::not_fitted);
  const auto design = fitted<TestType>();
  CHECK_THROWS_WITH(design.choose(world().candidates, 0, 1), Catch::Contains("budget is 0, but must be at least 1"));
  CHECK_THROWS_WITH(design.choose(ur::make_matrix<float>(5, 2, 0.0F), 2, 1),
                    Catch::Contains("candidates has 2 columns, but must have 3"));
  CHECK_THROWS_AS(design.choose(ur::make_matrix<float>(0, 3), 2, 1), std::invalid_argument);
  CHECK_THROWS_AS(design.choose(ur::make_matrix<float>(5, 3, std::numeric_limits<float>::quiet_NaN()), 2, 1),
                  std::domain_error);

  for (const std::size_t budget : {1, 7, 30, 59}) {
    const auto sample = design.choose(world().candidates, budget, 3);
    REQUIRE(sample.prompts.size() == budget);
    REQUIRE(sample.weights.size() == budget);
    REQUIRE(sample.inclusion.size() == candidate_count);
    CHECK(std::adjacent_find(sample.prompts.begin(), sample.prompts.end(), std::greater_equal<>()) ==
          sample.prompts.end());
    CHECK(sample.prompts.back() < candidate_count);
    CHECK(std::accumulate(sample.inclusion.begin(), sample.inclusion.end(), 0.0) ==
          Approx(static_cast<double>(budget)).epsilon(1e-12));
    for (const double p : sample.inclusion) CHECK((p >= 0 && p <= 1));
    for (const double w : sample.weights) CHECK(w > 0);
    CHECK(equal(sample, design.choose(world().candidates, budget, 3)));
  }
  // More labels than prompts: all of them, each for itself.
  for (const std::size_t budget : {candidate_count, candidate_count + 100}) {
    const auto all = design.choose(world().candidates, budget, 3);
    CHECK(all.prompts.size() == candidate_count);
    CHECK(all.weights == std::vector<double>(candidate_count, 1.0));
    CHECK(all.inclusion == std::vector<double>(candidate_count, 1.0));
  }
  TestType copy;
  copy.load(design.save());
  CHECK(equal(copy.choose(world().candidates, 11, 9), design.choose(world().candidates, 11, 9)));
  CHECK_THROWS_AS(copy.load(ur::state{}), ur::format_error);
  CHECK(equal(copy.choose(world().candidates, 11, 9), design.choose(world().candidates, 11, 9)));

  // Outcomes that never vary say nothing; a design still chooses.
  TestType constant;
  constant.fit(world().training, ur::make_matrix<double>(160, 3, 1.0));
  CHECK(constant.choose(world().candidates, 10, 1).prompts.size() == 10);
  TestType lonely;
  lonely.fit(world().training, ur::make_matrix<double>(160, 0));
  CHECK(lonely.choose(world().candidates, 10, 1).prompts.size() == 10);
}

TEMPLATE_TEST_CASE("every design that draws: inclusion holds, weights undo it, and the means are unbiased", "",
                   ur::random_design, ur::spread_design, proportional, neyman, contested) {
  const auto design = fitted<TestType>();
  constexpr std::size_t draws = 2000, budget = 15;
  std::vector<double> count(candidate_count, 0.0);
  double truth = 0;
  for (const double label : world().labels) truth += label / static_cast<double>(candidate_count);
  std::vector<double> guesses;
  for (std::size_t i = 0; i < candidate_count; ++i) guesses.push_back(0.3 + 0.05 * world().candidates(i, 0));
  std::vector<double> inclusion;
  std::vector<double> assisted_means;
  const auto plain = over_seeds(draws, [&](std::size_t seed) {
    const auto sample = design.choose(world().candidates, budget, seed);
    const auto labels = labels_of(sample, world().labels);
    for (const std::size_t i : sample.prompts) count[i] += 1;
    inclusion = sample.inclusion;
    assisted_means.push_back(ur::difference_mean(labels, sample, guesses));
    return ur::horvitz_thompson_mean(labels, sample);
  });
  const auto assisted = over_seeds(draws, [&](std::size_t seed) { return assisted_means[seed]; });
  // Binomial noise of 60 counts at once: 4.5 standard deviations are passed by one of them with probability 4e-4.
  for (std::size_t i = 0; i < candidate_count; ++i) {
    const double sd = std::sqrt(draws * inclusion[i] * (1 - inclusion[i]));
    CHECK(std::fabs(count[i] - draws * inclusion[i]) < 4.5 * sd + 1e-9);
  }
  CHECK(std::fabs(plain.mean - truth) < 4 * std::sqrt(plain.variance / draws));
  CHECK(std::fabs(assisted.mean - truth) < 4 * std::sqrt(assisted.variance / draws));
  CHECK_FALSE(equal(design.choose(world().candidates, budget, 1), design.choose(world().candidates, budget, 2)));
}

TEST_CASE("probabilities are proportional to sizes, and none is above 1") {
  const auto p = ur::detail::inclusion_probabilities(std::vector<double>{1, 1, 8}, 2);
  CHECK(p == std::vector<double>{0.5, 0.5, 1});
  CHECK(ur::detail::inclusion_probabilities(std::vector<double>{1, 5, 8, 2}, 3) ==
        std::vector<double>{1.0 / 3, 1, 1, 2.0 / 3});
  CHECK(ur::detail::inclusion_probabilities(std::vector<double>{0, 0, 0, 0}, 1) == std::vector<double>(4, 0.25));
  CHECK(ur::detail::inclusion_probabilities(std::vector<double>{0, 0, 5}, 2) == std::vector<double>{0.5, 0.5, 1});
}

TEST_CASE("a proportional sample gives every cell its number of labels to within one") {
  const auto design = fitted<proportional>();
  const auto cells_of = design.clustering_policy().assign(world().candidates);
  std::vector<double> size(4, 0.0);
  for (const auto k : cells_of) size[k] += 1;
  for (std::size_t seed = 0; seed < 50; ++seed) {
    const auto sample = design.choose(world().candidates, 14, seed);
    std::vector<double> asked(4, 0.0);
    for (const std::size_t i : sample.prompts) asked[cells_of[i]] += 1;
    for (std::size_t k = 0; k < 4; ++k) CHECK(std::fabs(asked[k] - 14 * size[k] / candidate_count) < 1);
  }
}

TEST_CASE("Neyman's allocation halves the variance where one cell has all the spread") {
  // Two cells of 100 candidates. In the first nobody errs; in the second half of the losses are 1: S² = 100/99 / 4.
  ur::embedding_matrix training = ur::make_matrix<float>(200, 1), candidates = training;
  auto losses = ur::make_matrix<double>(200, 2, 0.0);
  std::vector<double> labels(200, 0.0);
  for (std::size_t i = 0; i < 200; ++i) {
    training(i, 0) = candidates(i, 0) = i < 100 ? 0.0F : 1.0F;
    if (i >= 100) losses(i, 0) = losses(i, 1) = labels[i] = i % 2 == 0 ? 1 : 0;
  }
  using design = ur::stratified_design<ur::kmeans<>>;
  design even({}, ur::kmeans{{.clusters = 2}});
  design by_spread({.allocation = ur::label_allocation::neyman, .defensive_share = 0.2}, ur::kmeans{{.clusters = 2}});
  even.fit(training, losses);
  by_spread.fit(training, losses);
  const auto spreads = by_spread.spreads();
  CHECK(std::min(spreads[0], spreads[1]) == 0);
  CHECK(std::max(spreads[0], spreads[1]) == Approx(std::sqrt(100.0 / 99 / 4)));
  constexpr std::size_t draws = 4000;
  const auto variance = [&](const design& d) {
    return over_seeds(draws,
                      [&](std::size_t seed) {
                        const auto sample = d.choose(candidates, 40, seed);
                        return ur::horvitz_thompson_mean(labels_of(sample, labels), sample);
                      })
        .variance;
  };
  // Var = (N_k / N)² (1 - n_k / N_k) S² / n_k of the second cell (Cochran 1977, theorem 5.3), n_k = 20 and 36.
  const double s2 = 100.0 / 99 / 4, with_even = 0.25 * (1 - 0.20) * s2 / 20, with_neyman = 0.25 * (1 - 0.36) * s2 / 36;
  // The relative standard deviation of a variance of near-normal values is sqrt(2 / draws) = 2.2%: 5 of them.
  CHECK(variance(even) == Approx(with_even).epsilon(0.112));
  CHECK(variance(by_spread) == Approx(with_neyman).epsilon(0.112));
}

TEST_CASE("one cell, or no spread anywhere, leaves Neyman's allocation proportional") {
  ur::stratified_design<ur::single_cluster> one({.allocation = ur::label_allocation::neyman});
  one.fit(world().training, world().losses);
  for (const double p : one.choose(world().candidates, 15, 1).inclusion) CHECK(p == Approx(0.25));
  neyman flat;
  flat.fit(world().training, ur::make_matrix<double>(160, 3, 1.0));
  for (const double p : flat.choose(world().candidates, 15, 1).inclusion) CHECK(p == Approx(0.25));
}

TEST_CASE("a spread sample knows the mean of what varies smoothly far better than a random one") {
  auto line = ur::make_matrix<float>(100, 1);
  std::vector<double> labels;
  for (std::size_t i = 0; i < 100; ++i) {
    line(i, 0) = static_cast<float>(i);
    labels.push_back(static_cast<double>(i) / 99);
  }
  ur::spread_design design;
  design.fit(line, ur::make_matrix<double>(100, 0));
  const auto spread = over_seeds(500, [&](std::size_t seed) {
    const auto sample = design.choose(line, 10, seed);
    return ur::horvitz_thompson_mean(labels_of(sample, labels), sample);
  });
  const double s2 = 100.0 * 101 / 12 / 99 / 99;  // of 0, 1 … 99 over 99
  CHECK(spread.variance < 0.1 * 0.9 * s2 / 10);
}

TEST_CASE("disagreement: prompts are asked in proportion to the spread over LLMs nearby") {
  const auto design = fitted<contested>();
  const auto spread = design.disagreement(world().candidates);
  const auto sample = design.choose(world().candidates, 6, 1);
  const double sum = std::accumulate(spread.begin(), spread.end(), 0.0);
  double largest = 0;
  for (std::size_t i = 0; i < candidate_count; ++i) {
    CHECK(sample.inclusion[i] == Approx(6 * (0.7 * spread[i] / sum + 0.3 / candidate_count)));
    largest = std::max(largest, sample.inclusion[i]);
    // Clump 3 is at the origin: there LLMs are right by chance.
    const auto x = ur::row(world().candidates, i);
    if (*std::max_element(x.begin(), x.end()) < 1.5F) CHECK(spread[i] > 0.35);
  }
  CHECK(largest > 1.3 * 6 / candidate_count);
}

TEST_CASE("leverage: each prompt taken raises the determinant most, and weights give back the candidates' mean") {
  leverage design({.prior = 1e-9, .least_weight = 1e-6});
  design.fit(world().training, world().losses);
  const auto determinant = [&](const std::vector<std::size_t>& prompts) {
    auto a = ur::make_matrix<double>(4, 4, 0.0);
    for (std::size_t j = 0; j < 4; ++j) a(j, j) = 1e-9;
    for (const std::size_t i : prompts) {
      const double z[] = {1, world().candidates(i, 0), world().candidates(i, 1), world().candidates(i, 2)};
      for (std::size_t j = 0; j < 4; ++j) {
        for (std::size_t l = 0; l < 4; ++l) a(j, l) += z[j] * z[l];
      }
    }
    return ur::detail::cholesky::factor(a)->log_determinant();
  };
  auto taken = design.choose(world().candidates, 8, 1).prompts;
  const auto more = design.choose(world().candidates, 9, 2).prompts;
  std::vector<std::size_t> added;
  std::set_difference(more.begin(), more.end(), taken.begin(), taken.end(), std::back_inserter(added));
  REQUIRE(added.size() == 1);
  const double reached = determinant(more);
  for (std::size_t i = 0; i < candidate_count; ++i) {
    if (std::binary_search(taken.begin(), taken.end(), i)) continue;
    auto other = taken;
    other.push_back(i);
    CHECK(determinant(other) <= reached + 1e-9);
  }
  const auto sample = design.choose(world().candidates, 30, 1);
  std::vector<double> linear;
  double truth = 0;
  for (std::size_t i = 0; i < candidate_count; ++i) {
    linear.push_back(0.4 + 0.1 * world().candidates(i, 0) - 0.05 * world().candidates(i, 2));
    truth += linear.back() / candidate_count;
  }
  CHECK(ur::weighted_mean(labels_of(sample, linear), sample.weights) == Approx(truth).epsilon(1e-6));
}

TEST_CASE("designs refuse options that make no sense") {
  CHECK_THROWS_WITH(cells({.defensive_share = 0}), Catch::Contains("defensive_share is 0, but must be above 0"));
  CHECK_THROWS_AS(ur::disagreement_design({.neighbours = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::disagreement_design({.defensive_share = 1.5}), std::invalid_argument);
  CHECK_THROWS_AS(leverage({.prior = 0}), std::invalid_argument);
  CHECK_THROWS_AS(leverage({.least_weight = 1}), std::invalid_argument);
}

TEST_CASE("means of labels by hand") {
  const ur::label_sample sample{{0, 2}, {3, 1}, {1.0 / 3, 0.0, 1.0, 0.0}};
  CHECK(ur::weighted_mean(std::vector<double>{1, 0}, sample.weights) == 0.75);
  CHECK(ur::weighted_mean(std::vector<double>{ur::missing, 0.5}, sample.weights) == 0.5);
  CHECK(ur::horvitz_thompson_mean(std::vector<double>{1, 0}, sample) == 0.75);
  CHECK(ur::difference_mean(std::vector<double>{1, 0}, sample, std::vector<double>{0.5, 0.5, 0.5, 0.5}) ==
        Approx(0.5 + (3 * 0.5 - 0.5) / 4));
  CHECK_THROWS_AS(ur::weighted_mean(std::vector<double>{1}, sample.weights), std::invalid_argument);
  CHECK_THROWS_AS(ur::weighted_mean(std::vector<double>(2, ur::missing), sample.weights), std::invalid_argument);
  CHECK_THROWS_AS(ur::weighted_mean(std::vector<double>{1, 0}, std::vector<double>{1, 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::horvitz_thompson_mean(std::vector<double>{1, ur::missing}, sample), std::domain_error);
  CHECK_THROWS_AS(ur::difference_mean(std::vector<double>{1, 0}, sample, std::vector<double>{1}),
                  std::invalid_argument);
}
