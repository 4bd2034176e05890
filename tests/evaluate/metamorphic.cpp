// What must not change a curve, a certificate or an optimum, and what must change it in a known way.

#include <catch2/catch.hpp>
#include <numeric>
#include <uniroute/bound/bound.hpp>
#include <uniroute/regret/regret.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

struct outcomes {
  ur::loss_matrix predicted, losses;
  ur::cost_matrix estimates, costs;
};

/// Costs by prompt; values in 1/64, sums of which are exact, so that order cannot matter.
outcomes drawn(std::uint64_t seed, std::size_t n, std::size_t m) {
  ur::random_engine engine(seed);
  outcomes out{ur::make_matrix<double>(n, m), ur::make_matrix<double>(n, m), ur::make_matrix<double>(n, m),
               ur::make_matrix<double>(n, m)};
  const auto fill = [&](ur::matrix<double>& of, double from) {
    for (double& v : of) v = from + static_cast<double>(engine.below(64)) / 64;
  };
  fill(out.predicted, 0);
  fill(out.losses, 0);
  fill(out.estimates, .25);
  fill(out.costs, .25);
  for (double& v : out.losses) v = engine.below(6) == 0 ? ur::missing : v;
  return out;
}

ur::matrix<double> arranged(const ur::matrix<double>& of, const std::vector<std::size_t>& rows,
                            const std::vector<std::size_t>& columns) {
  return ur::take(of, rows, columns);
}

outcomes arranged(const outcomes& o, const std::vector<std::size_t>& rows, const std::vector<std::size_t>& columns) {
  return {arranged(o.predicted, rows, columns), arranged(o.losses, rows, columns), arranged(o.estimates, rows, columns),
          arranged(o.costs, rows, columns)};
}

std::vector<std::size_t> upto(std::size_t n) {
  std::vector<std::size_t> out(n);
  std::iota(out.begin(), out.end(), std::size_t{0});
  return out;
}

ur::deferral_curve curve_of(const outcomes& o) { return ur::trace_curve(o.predicted, o.estimates, o.losses, o.costs); }

void same(const ur::deferral_curve& a, const ur::deferral_curve& b, double cost_scale = 1) {
  REQUIRE(a.points.size() == b.points.size());
  for (std::size_t p = 0; p < a.points.size(); ++p) {
    CHECK(a.points[p].lambda == Approx(b.points[p].lambda * cost_scale).margin(1e-12));
    CHECK(a.points[p].cost * cost_scale == Approx(b.points[p].cost).margin(1e-12));
    CHECK(a.points[p].quality == Approx(b.points[p].quality).margin(1e-12));
    CHECK(a.points[p].coverage == Approx(b.points[p].coverage).margin(1e-12));
  }
}

}  // namespace

TEST_CASE("curves do not see the order of prompts or LLMs, nor copies of prompts, nor LLMs that are never worth it") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::size_t n = 12, m = 4;
    const auto o = drawn(seed, n, m);
    const auto curve = curve_of(o);
    ur::random_engine engine(seed);
    auto rows = upto(n), columns = upto(m);
    ur::shuffle(rows, engine);
    same(curve, curve_of(arranged(o, rows, upto(m))));
    ur::shuffle(columns, engine);
    same(curve, curve_of(arranged(o, upto(n), columns)));
    auto twice = upto(n);
    for (std::size_t i = 0; i < n; ++i) twice.push_back(i);
    same(curve, curve_of(arranged(o, twice, upto(m))));
    // Another currency: prices move against it.
    auto dear = o;
    for (double& v : dear.estimates) v *= 4;
    for (double& v : dear.costs) v *= 4;
    same(curve, curve_of(dear), 4);
    // The same for what is predicted: prices move with it.
    auto loud = o;
    for (double& v : loud.predicted) v = 2 * v + 1;
    const auto doubled = curve_of(loud);
    REQUIRE(doubled.points.size() == curve.points.size());
    for (std::size_t p = 0; p < curve.points.size(); ++p) {
      CHECK(doubled.points[p].lambda == Approx(2 * curve.points[p].lambda));
      CHECK(doubled.points[p].cost == curve.points[p].cost);
    }
    // An LLM that is predicted worse than another, and is dearer, is never asked.
    outcomes more{ur::make_matrix<double>(n, m + 1, 2.0), ur::make_matrix<double>(n, m + 1, .5),
                  ur::make_matrix<double>(n, m + 1, 9.0), ur::make_matrix<double>(n, m + 1, 9.0)};
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t h = 0; h < m; ++h) {
        more.predicted(i, h) = o.predicted(i, h);
        more.losses(i, h) = o.losses(i, h);
        more.estimates(i, h) = o.estimates(i, h);
        more.costs(i, h) = o.costs(i, h);
      }
    }
    same(curve, curve_of(more));
  }
}

TEST_CASE(
    "certificates do not see the order of cells or LLMs, nor the currency; twins change no gap, and counts narrow it") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    ur::random_engine engine(seed);
    const std::size_t cells = 3, m = 3;
    ur::cell_sample s;
    s.counts = ur::make_matrix<double>(cells, m);
    s.sums = ur::make_matrix<double>(cells, m);
    for (std::size_t k = 0; k < cells; ++k) {
      s.prompts.push_back(20 + static_cast<double>(engine.below(30)));
      for (std::size_t h = 0; h < m; ++h) {
        s.counts(k, h) = s.prompts[k] - static_cast<double>(engine.below(5));
        s.sums(k, h) = static_cast<double>(engine.below(static_cast<std::size_t>(s.counts(k, h)) + 1));
      }
    }
    const std::vector<double> costs{1, 2, 4};
    std::vector<std::uint32_t> choices;
    for (std::size_t k = 0; k < cells; ++k) choices.push_back(static_cast<std::uint32_t>(engine.below(m)));
    const double lambda = .02, delta = .1;
    const auto certify = [&](const ur::cell_sample& of, const std::vector<std::uint32_t>& r,
                             const std::vector<double>& c, double price,
                             double d) { return ur::certify_counts<ur::exact_binomial>(of, r, c, price, d); };
    const auto base = certify(s, choices, costs, lambda, delta);
    const auto equal = [&](const ur::certificate& other) {
      CHECK(other.gap_adaptive == Approx(base.gap_adaptive));
      CHECK(other.uniform == Approx(base.uniform));
      CHECK(other.estimation == Approx(base.estimation));
    };
    // Cells and LLMs in another order.
    const std::vector<std::size_t> k_of{2, 0, 1}, h_of{1, 2, 0};
    ur::cell_sample turned{{}, ur::take(s.counts, k_of, h_of), ur::take(s.sums, k_of, h_of), {}};
    std::vector<std::uint32_t> r;
    std::vector<double> c;
    for (const std::size_t k : k_of) {
      turned.prompts.push_back(s.prompts[k]);
      for (std::uint32_t h = 0; h < m; ++h) {
        if (h_of[h] == choices[k]) r.push_back(h);
      }
    }
    for (const std::size_t h : h_of) c.push_back(costs[h]);
    equal(certify(turned, r, c, lambda, delta));
    // Another currency.
    equal(certify(s, choices, {100, 200, 400}, lambda / 100, delta));
    // A twin of the first LLM, with δ enough for four: what was certified stays, for a twin is no better a rival.
    ur::cell_sample twins{s.prompts,
                          ur::take(s.counts, upto(cells), std::vector<std::size_t>{0, 1, 2, 0}),
                          ur::take(s.sums, upto(cells), std::vector<std::size_t>{0, 1, 2, 0}),
                          {}};
    bool takes_first = false;
    for (const auto h : choices) takes_first = takes_first || h == 0;
    const std::vector<double> shares{.2, .3, .5};
    const auto known = ur::certify_counts<ur::exact_binomial>(s, choices, costs, lambda, delta, shares);
    const auto with_twin = ur::certify_counts<ur::exact_binomial>(twins, choices, std::vector<double>{1, 2, 4, 1},
                                                                  lambda, delta * 4 / 3, shares);
    if (takes_first) {
      CHECK(with_twin.gap_adaptive >= known.gap_adaptive);
    } else {
      CHECK(with_twin.gap_adaptive == Approx(known.gap_adaptive));
      CHECK(with_twin.estimation == Approx(known.estimation));
    }
    // Four times the outcomes: Hoeffding's estimation part is half as wide.
    ur::cell_sample four = s;
    for (double& v : four.counts) v *= 4;
    for (double& v : four.sums) v *= 4;
    for (double& v : four.prompts) v *= 4;
    const auto wide = ur::bonferroni<ur::hoeffding>{}.make(s, delta),
               narrow = ur::bonferroni<ur::hoeffding>{}.make(four, delta);
    for (std::size_t k = 0; k < cells; ++k) {
      for (std::size_t h = 0; h < m; ++h) {
        if (wide.lower(k, h) > 0 && wide.upper(k, h) < 1 && narrow.lower(k, h) > 0 && narrow.upper(k, h) < 1)
          CHECK(narrow.width(k, h) == Approx(wide.width(k, h) / 2));
        CHECK(narrow.width(k, h) <= wide.width(k, h) + 1e-12);
      }
    }
    // Costs beyond all losses: the gap of a dear choice is its price alone, and of the cheapest nothing is left.
    CHECK(certify(s, {0, 0, 0}, {0, 1e6, 1e6}, 1, delta).gap_adaptive == 0);
  }
}

TEST_CASE("regret and the oracle do not see copies of LLMs, and fall with the pool's best") {
  const auto p = ur::population_of(ur::simulated_world{{.dimension = 4}}, 60, 3);
  const std::vector<std::uint32_t> choices(p.size(), 2);
  for (const double lambda : {0.0, 1.0, 30.0}) {
    const auto base = ur::regret_of(p, choices, lambda);
    auto more = p;
    const std::size_t m = p.model_count();
    auto losses = ur::make_matrix<double>(p.size(), m + 1);
    for (std::size_t i = 0; i < p.size(); ++i) {
      for (std::size_t h = 0; h < m; ++h) losses(i, h) = p.expected_losses(i, h);
      losses(i, m) = p.expected_losses(i, 5);
    }
    auto costs = ur::make_matrix<double>(ur::rows(p.costs), m + 1);
    for (std::size_t i = 0; i < ur::rows(p.costs); ++i) {
      for (std::size_t h = 0; h < m; ++h) costs(i, h) = p.costs(i, h);
      costs(i, m) = p.costs(i, 5);
    }
    more.expected_losses = losses;
    more.costs = costs;
    more.models.push_back("twin");
    CHECK(ur::regret_of(more, choices, lambda).regret == Approx(base.regret).margin(1e-12));
    // A twin that errs less can only make the others' regret larger.
    for (std::size_t i = 0; i < p.size(); ++i) more.expected_losses(i, m) *= .5;
    CHECK(ur::regret_of(more, choices, lambda).regret >= base.regret - 1e-12);
  }
}
