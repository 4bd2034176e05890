#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <uniroute/random.hpp>
#include <uniroute/stats/stats.hpp>

#include "support/sorted.hpp"

namespace ur = uniroute;

namespace {

constexpr double delta = .1;
constexpr std::size_t samples = 2000;

/// How many of 2,000 samples of n losses have their mean covered: the fewer of losses as drawn, and sorted.
template <class Interval, class Draw>
std::size_t covered(double mean, std::size_t n, Draw draw, std::uint64_t seed) {
  std::size_t hits = 0, sorted_hits = 0;
  std::vector<double> values(n);
  for (std::size_t t = 0; t < samples; ++t) {
    ur::random_engine draws(ur::derive_seed(seed, t));
    for (double& v : values) v = draw(draws);
    const auto around = ur::interval_of<Interval>(values, delta);
    hits += around.lower <= mean && mean <= around.upper ? 1u : 0u;
    std::sort(values.begin(), values.end());
    const auto by_size = ur::interval_of<Interval>(values, delta);
    sorted_hits += by_size.lower <= mean && mean <= by_size.upper ? 1u : 0u;
  }
  return std::min(hits, sorted_hits);
}

}  // namespace

TEST_CASE("exact binomial intervals are those of the beta distribution") {
  // scipy.stats.binomtest(k, n).proportion_ci(1 - delta, "exact"), scipy 1.14; the first is Clopper and Pearson's own.
  struct reference {
    double k;
    std::size_t n;
    double delta, lower, upper;
  };
  for (const auto& r :
       {reference{8, 10, .05, .4439045376923585, .9747892736731665},
        reference{3, 50, .1, .01655185918922988, .14783717636418414}, reference{0, 20, .05, 0, .16843347098308548},
        reference{1, 7, .01, .0007158210811237942, .6849116392471012},
        reference{120, 1000, .001, .08864083796022768, .1571934412640628}}) {
    const auto around = ur::exact_binomial::make(r.k, r.n, r.delta);
    CHECK(around.lower == Approx(r.lower).epsilon(1e-9).margin(1e-15));
    CHECK(around.upper == Approx(r.upper).epsilon(1e-9));
    const auto mirrored = ur::exact_binomial::make(static_cast<double>(r.n) - r.k, r.n, r.delta);
    CHECK(mirrored.lower == Approx(1 - r.upper).epsilon(1e-10));
  }
  CHECK(ur::exact_binomial::make(20, 20, .05).upper == 1);
}

TEST_CASE("Wilson's intervals and normal quantiles are those of scipy") {
  // scipy.stats.binomtest(k, n).proportion_ci(1 - delta, "wilson") and scipy.stats.norm.isf(p), scipy 1.14.
  CHECK(ur::wilson::make(8, 10, .05).lower == Approx(.4901624715).epsilon(1e-9));
  CHECK(ur::wilson::make(8, 10, .05).upper == Approx(.9433178485).epsilon(1e-9));
  CHECK(ur::wilson::make(1, 7, .01).lower == Approx(.0170005367).epsilon(1e-8));
  CHECK(ur::wilson::make(120, 1000, .001).upper == Approx(.1579482956).epsilon(1e-9));
  CHECK(ur::normal_upper_quantile(.025) == Approx(1.9599639845400545).epsilon(1e-14));
  CHECK(ur::normal_upper_quantile(.3) == Approx(.5244005127080409).epsilon(1e-14));
  CHECK(ur::normal_upper_quantile(1e-9) == Approx(5.9978070150076865).epsilon(1e-13));
  CHECK(ur::normal_upper_quantile(.975) == Approx(-1.9599639845400545).epsilon(1e-14));
  CHECK(ur::normal_upper_quantile(.5) == Approx(0).margin(1e-15));
}

TEST_CASE("Hoeffding's and the empirical Bernstein interval are their formulas") {
  const auto h = ur::hoeffding::make(50, 100, .05);
  CHECK(h.upper - .5 == Approx(std::sqrt(std::log(40.) / 200)));
  // numpy 2: mean ± sqrt(2 var(ddof=1) log(4/δ)/n) + 7 log(4/δ)/(3 (n−1)) of 30 times these ten losses.
  std::vector<double> x;
  for (int t = 0; t < 30; ++t) x.insert(x.end(), {.1, .4, .35, .8, .05, .0, 1., .5, .25, .6});
  const auto eb = ur::interval_of<ur::empirical_bernstein>(x, .05);
  CHECK(eb.lower == Approx(.31755766942389846).epsilon(1e-12));
  CHECK(eb.upper == Approx(.4924423305761016).epsilon(1e-12));
  CHECK(ur::empirical_bernstein::make(.5, .25, 1, .05).width() == 1);
  // The ruling: wider than Hoeffding's at small n, narrower for little variance at large n.
  CHECK(ur::empirical_bernstein::make(15, 15, 30, .05).width() > ur::hoeffding::make(15, 30, .05).width());
  CHECK(ur::empirical_bernstein::make(50, 50, 5000, .05).width() < ur::hoeffding::make(50, 5000, .05).width() / 2);
}

TEST_CASE("betting intervals are the means against which no gambler gets rich") {
  // An independent implementation in numpy that tries 99,999 means (log1p, cumsum), agreeing to its grid of 1e-5.
  std::vector<double> x, weights, rare;
  for (int i = 0; i < 60; ++i) {
    x.push_back(((i * 37) % 61) / 60.);
    weights.push_back(((i * 23) % 59) / 58.);
    rare.push_back((i * 17) % 10 < 2 ? 1 : 0);
  }
  // The reference bets in this order; so the values come in the order that the seed turns into it.
  const auto arranged = [](const std::vector<double>& values) {
    std::vector<double> place(values.size()), none, out(values.size());
    std::iota(place.begin(), place.end(), 0.0);
    ur::detail::shuffle_for_bets(place, none, ur::detail::betting_seed);
    for (std::size_t t = 0; t < values.size(); ++t) out[static_cast<std::size_t>(place[t])] = values[t];
    return out;
  };
  x = arranged(x);
  weights = arranged(weights);
  rare = arranged(rare);
  const auto graded = ur::betting::make(x, .05);
  CHECK(graded.lower == Approx(.40175).margin(1.5e-5));
  CHECK(graded.upper == Approx(.6047).margin(1.5e-5));
  const auto zero_one = ur::betting::make(rare, .01);
  CHECK(zero_one.lower == Approx(.0565).margin(1.5e-5));
  CHECK(zero_one.upper == Approx(.4020).margin(1.5e-5));
  const auto weighted = ur::betting::make(x, weights, .05);
  CHECK(weighted.lower == Approx(.29957).margin(1.5e-5));
  CHECK(weighted.upper == Approx(.56106).margin(1.5e-5));
  // The test is the interval's one side.
  const double upper = ur::betting::make(x, .1).upper;
  CHECK(ur::betting_rejects_at_least(x, upper + 1e-6, .05));
  CHECK_FALSE(ur::betting_rejects_at_least(x, upper - 1e-6, .05));
  CHECK(ur::betting::make({}, .05).width() == 1);
  // Long sequences: the capital would overflow if it were not kept as a logarithm.
  const std::vector<double> ones(20000, 1.0);
  CHECK(ur::betting::make(ones, .05).lower > .999);
  CHECK(ur::betting::make(ones, .05).upper == 1);
}

TEST_CASE("the order of bets is a function of the number of values and of the seed") {
  std::vector<double> x{1, 2, 3, 4, 5, 6, 7}, weights{10, 20, 30, 40, 50, 60, 70}, other = x, none;
  const auto start = x;
  ur::detail::shuffle_for_bets(x, weights, 1);
  ur::detail::shuffle_for_bets(other, none, 1);
  CHECK(x == other);
  CHECK(x != start);
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(weights[i] == 10 * x[i]);  // pairs stay together
  std::vector<double> again = start;
  ur::detail::shuffle_for_bets(again, none, 2);
  CHECK(again != x);
  std::vector<double> drift;
  for (int i = 0; i < 40; ++i) drift.push_back(i < 20 ? 0 : 1);
  CHECK(ur::betting::make(drift, .1).lower == ur::betting::make(drift, .1).lower);
  CHECK(ur::betting::make(drift, .1, 7).lower != ur::betting::make(drift, .1).lower);
}

TEST_CASE("an interval whose lower end is above its upper is an error, never a number") {
  // Bets that go by a half of zeros and a half of ones, in this order: no mean survives both gamblers.
  CHECK_THROWS_WITH(ur::detail::checked_interval("betting::make", .6, .5),
                    "betting::make: the lower end is 0.6 and the upper 0.5, but lower must not be above upper: no mean "
                    "is compatible with the sample");
  CHECK_THROWS_AS(ur::detail::checked_interval("f", .5, std::nan("")), std::domain_error);
  CHECK(ur::detail::checked_interval("f", .5, .5).width() == 0);
}

TEST_CASE("upper bounds alone spend all of delta on one side") {
  std::vector<double> values;
  for (int i = 0; i < 50; ++i) values.push_back(i % 5 == 0 ? 1 : 0);
  CHECK(ur::upper_bound_of<ur::betting>(values, 0, 1, .05) == ur::betting::make(values, .1).upper);
  CHECK(ur::upper_bound_of<ur::hoeffding>(values, 0, 2, .05) == Approx(2 * ur::hoeffding::make(5, 50, .1).upper));
  CHECK(ur::upper_bound_of<ur::hoeffding>(values, 0, 1, .7) == ur::hoeffding::make(10, 50, .7).upper);
  struct unequal {  // says nothing of its tails: its own upper end is taken
    using loss_type = ur::bounded_loss;
    using guarantee = ur::finite_sample;
    static ur::interval make(double, std::size_t, double level) { return {0, 1 - level}; }
  };
  CHECK(ur::upper_bound_of<unequal>(values, 0, 1, .05) == .95);
}

TEMPLATE_TEST_CASE("guaranteed intervals cover 0-1 losses as often as they promise", "", ur::hoeffding,
                   ur::exact_binomial, ur::empirical_bernstein, ur::betting) {
  // 1,800 of 2,000 are promised; fewer than 1,760 would be three standard deviations below.
  for (const double mean : {.02, .3, .5}) {
    for (const std::size_t n : {5u, 40u, 150u}) {
      CAPTURE(mean, n);
      const auto draw = [mean](ur::random_engine& e) { return e.uniform() < mean ? 1.0 : 0.0; };
      CHECK(covered<TestType>(mean, n, draw, 17) >= 1760);
    }
  }
}

TEMPLATE_TEST_CASE("intervals for bounded losses cover graded ones", "", ur::hoeffding, ur::empirical_bernstein,
                   ur::betting) {
  // Skewed: a cube of a uniform number, of mean 1/4; and a product with a coin.
  CHECK(covered<TestType>(
            .25, 60, [](ur::random_engine& e) { return std::pow(e.uniform(), 3); }, 5) >= 1760);
  CHECK(covered<TestType>(
            .05, 60, [](ur::random_engine& e) { return e.uniform() < .1 ? e.uniform() : 0.0; }, 6) >= 1760);
}

TEST_CASE("Wilson's interval covers in the middle and fails near the border, which is why it is tagged") {
  const auto coin = [](double p) { return [p](ur::random_engine& e) { return e.uniform() < p ? 1.0 : 0.0; }; };
  const std::size_t middle = covered<ur::wilson>(.5, 150, coin(.5), 17);
  CHECK(middle >= 1740);
  CHECK(middle <= 1860);
  // P[covered] at p = .0185, n = 12 is P[no failure] = .7992: one failure gives [.0188, .30], which excludes p.
  CHECK(covered<ur::wilson>(.0185, 12, coin(.0185), 17) < 1660);
}

TEST_CASE("weighted betting covers a ratio of means") {
  // φ and the loss depend on each other: E[φ ℓ] / E[φ] = ∫ u · u du / ∫ u du = 2/3 for φ = u, P[ℓ = 1] = u.
  const bool by_loss = GENERATE(false, true);
  std::size_t hits = 0;
  for (std::size_t t = 0; t < samples; ++t) {
    ur::random_engine draws(ur::derive_seed(3, t));
    std::vector<double> values, weights;
    for (int i = 0; i < 60; ++i) {
      weights.push_back(draws.uniform());
      values.push_back(draws.uniform() < weights.back() ? 1 : 0);
    }
    ur::matrix<double> losses(ur::make_matrix<double>(values.size(), 1));
    std::copy(values.begin(), values.end(), losses.begin());
    sorted::rows(by_loss, losses, values, weights);
    const auto around = ur::betting::make(values, weights, delta);
    hits += around.lower <= 2. / 3 && 2. / 3 <= around.upper ? 1u : 0u;
  }
  CHECK(hits >= 1760);
  CHECK(hits < 1999);  // and the interval is not the whole of [0, 1]
}

TEST_CASE("intervals refuse what is no sample and no level") {
  for (const double wrong : {0.0, 1.0, -.1, 1.5, std::nan("")}) {
    CHECK_THROWS_AS(ur::hoeffding::make(1, 2, wrong), std::invalid_argument);
    CHECK_THROWS_AS(ur::exact_binomial::make(1, 2, wrong), std::invalid_argument);
    CHECK_THROWS_AS(ur::wilson::make(1, 2, wrong), std::invalid_argument);
    CHECK_THROWS_AS(ur::empirical_bernstein::make(1, 1, 2, wrong), std::invalid_argument);
    CHECK_THROWS_AS(ur::betting::make(std::vector<double>{1, 0}, wrong), std::invalid_argument);
  }
  CHECK_THROWS_WITH(ur::hoeffding::make(3, 2, .05), "hoeffding::make: sum is 3, but must be from 0 to n = 2");
  CHECK_THROWS_AS(ur::exact_binomial::make(-1, 2, .05), std::invalid_argument);
  CHECK_THROWS_AS(ur::empirical_bernstein::make(1, 2, 2, .05), std::invalid_argument);
  CHECK_THROWS_AS(ur::betting::make(std::vector<double>{1, 1.5}, .05), std::domain_error);
  CHECK_THROWS_AS(ur::betting::make(std::vector<double>{1}, std::vector<double>{1, 1}, .05), std::invalid_argument);
  CHECK_THROWS_AS(ur::betting_rejects_at_least(std::vector<double>{1}, 2, .05), std::invalid_argument);
  CHECK(ur::hoeffding::make(0, 0, .05).width() == 1);
  CHECK(ur::exact_binomial::make(0, 0, .05).width() == 1);
}
