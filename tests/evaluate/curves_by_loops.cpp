// Curves, metrics, summaries and the protocol beside the same in plain loops (support/reference/evaluation.hpp), on
// random tables: losses missing or not, costs by prompt or not, predictions that tie, models that are never observed.

#include <catch2/catch.hpp>
#include <mutex>
#include <set>
#include <support/reference/evaluation.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

struct outcomes {
  reference::table predicted, estimates, losses, costs;
  ur::loss_matrix p, l;
  ur::cost_matrix e, c;
};

/// Costs and predictions on a coarse grid, so that they tie; of eighths, so that prices which tie have the same bits.
outcomes draw(std::uint64_t seed, std::size_t n, std::size_t m, bool shared_costs, bool shared_losses, double missing) {
  ur::random_engine engine(seed);
  outcomes out;
  out.p = ur::make_matrix<double>(shared_losses ? 1 : n, m);
  out.e = ur::make_matrix<double>(shared_costs ? 1 : n, m);
  out.l = ur::make_matrix<double>(n, m);
  out.c = ur::make_matrix<double>(n, m);
  const auto eighths = [&](std::size_t steps) { return static_cast<double>(engine.below(steps)) / 8; };
  for (double& v : out.p) v = eighths(8);
  for (double& v : out.e) v = .125 + eighths(6);
  for (double& v : out.c) v = .125 + eighths(6);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) {
      out.l(i, h) =
          engine.uniform() < missing || (missing > 0 && seed % 2 == 0 && h + 1 == m) ? ur::missing : eighths(9);
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    out.predicted.emplace_back(ur::row(out.p, shared_losses ? 0 : i).begin(),
                               ur::row(out.p, shared_losses ? 0 : i).end());
    out.estimates.emplace_back(ur::row(out.e, shared_costs ? 0 : i).begin(),
                               ur::row(out.e, shared_costs ? 0 : i).end());
    out.losses.emplace_back(ur::row(out.l, i).begin(), ur::row(out.l, i).end());
    out.costs.emplace_back(ur::row(out.c, i).begin(), ur::row(out.c, i).end());
  }
  return out;
}

template <class Body>
void for_each_table(Body&& body) {
  std::uint64_t seed = 100;
  for (const bool shared_costs : {true, false}) {
    for (const bool shared_losses : {true, false}) {
      for (const double missing : {0.0, .3}) {
        for (const std::size_t m : {std::size_t{1}, std::size_t{3}, std::size_t{18}})
          body(draw(++seed, m == 18 ? 12 : 20, m, shared_costs, shared_losses, missing));
      }
    }
  }
}

void same(const ur::curve_point& ours, const reference::point& theirs) {
  CHECK(ours.cost == Approx(theirs.cost).margin(1e-12));
  CHECK(ours.quality == Approx(theirs.quality).margin(1e-12));
  CHECK(ours.coverage == Approx(theirs.coverage).margin(1e-12));
}

}  // namespace

TEST_CASE("a curve is what its rule chooses at every price, and has a point for each change") {
  for_each_table([](const outcomes& t) {
    const auto curve = ur::trace_curve(t.p, t.e, t.l, t.c, {.shares = true});
    const auto prices = reference::prices(t.predicted, t.estimates);
    std::size_t at = 0, changes = 0;
    std::vector<std::size_t> before;
    for (std::size_t s = 0; s < prices.size(); ++s) {
      const double lambda = s + 1 < prices.size() ? (prices[s] + prices[s + 1]) / 2 : 2 * prices[s] + 1;
      const auto choice = reference::choices_at(t.predicted, t.estimates, lambda);
      const auto expected = reference::realise(choice, t.losses, t.costs);
      while (at + 1 < curve.points.size() && curve.points[at + 1].lambda <= lambda) ++at;
      same(curve.points[at], expected);
      for (std::size_t h = 0; h < expected.shares.size(); ++h)
        CHECK(static_cast<double>(curve.shares(at, h)) == Approx(expected.shares[h]).margin(1e-6));
      if (s == 0 || choice != before) {
        ++changes;
        CHECK(curve.points[at].lambda == Approx(prices[s]).margin(1e-12));
      }
      before = choice;
    }
    CHECK(curve.points.size() == changes);
    CHECK(curve.points.front().lambda == 0);
  });
}

TEST_CASE("baselines are means over single models, hindsight the rule that knows outcomes") {
  for_each_table([](const outcomes& t) {
    const std::size_t n = t.losses.size(), m = t.losses[0].size();
    const auto singles = ur::single_models(t.l, t.c);
    reference::point random;
    reference::table known = t.losses;
    for (std::size_t h = 0; h < m; ++h) {
      const auto expected = reference::realise(std::vector<std::size_t>(n, h), t.losses, t.costs);
      same(singles[h], expected);
      random.cost += expected.cost / static_cast<double>(m);
      random.quality += expected.quality / static_cast<double>(m);
      random.coverage += expected.coverage / static_cast<double>(m);
      for (auto& of : known) {
        if (reference::absent(of[h])) of[h] = 1 - expected.quality;
      }
    }
    const auto any = ur::random_choice(t.l, t.c);
    REQUIRE(any.points.size() == 1);
    same(any.points[0], random);
    const auto oracle = ur::hindsight_oracle(t.l, t.c);
    bool every = true;  // where a model was never observed, there is no mean to take for it
    for (std::size_t h = 0; h < m; ++h)
      every = every &&
              std::any_of(t.losses.begin(), t.losses.end(), [&](const auto& of) { return !reference::absent(of[h]); });
    if (every) {
      for (std::size_t p = 0; p < oracle.points.size(); ++p) {
        const double from = oracle.points[p].lambda;
        const double lambda = p + 1 < oracle.points.size() ? (from + oracle.points[p + 1].lambda) / 2 : 2 * from + 1;
        same(oracle.points[p], reference::realise(reference::choices_at(known, t.costs, lambda), t.losses, t.costs));
      }
    }
    const auto curve = ur::trace_curve(t.p, t.e, t.l, t.c, {.shares = true});
    const auto shuffled = ur::shuffled_choices(curve, t.l, t.c);
    REQUIRE(shuffled.points.size() == curve.points.size());
    for (std::size_t p = 0; p < curve.points.size(); ++p) {
      reference::point expected;
      for (std::size_t h = 0; h < m; ++h) {
        const auto alone = reference::realise(std::vector<std::size_t>(n, h), t.losses, t.costs);
        const double share = static_cast<double>(curve.shares(p, h));
        expected.cost += share * alone.cost;
        expected.quality += share * alone.quality;
        expected.coverage += share * alone.coverage;
      }
      CHECK(shuffled.points[p].lambda == curve.points[p].lambda);
      same(shuffled.points[p], expected);
    }
  });
}

TEST_CASE("metrics are those of the reference under every convention") {
  std::size_t reached = 0, missed = 0, anchored = 0, merged = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    ur::random_engine engine(seed);
    const auto coarse = [&](std::size_t steps) {
      return static_cast<double>(engine.below(steps)) / static_cast<double>(steps);
    };
    ur::deferral_curve curve;
    std::vector<reference::knot> points;
    const std::size_t count = 1 + engine.below(9);
    std::set<double> distinct;
    for (std::size_t p = 0; p < count; ++p) {
      const double cost = .25 + .875 * coarse(8), quality = .2 + .7 * coarse(20);
      curve.points.push_back({static_cast<double>(p), cost, quality, 1});
      points.push_back({cost, quality});
      distinct.insert(cost);
    }
    const std::vector<ur::curve_point> models{
        {0, .25 + .25 * coarse(2), .2 + .5 * coarse(10), 1}, {0, .5, .6, 1}, {0, .8, .7, 1}};
    const auto pool = ur::range_of(models);
    double low = 9, high = 0, at_low = 0;
    for (const auto& m : models) {
      if (m.cost < low || (m.cost == low && m.quality > at_low)) at_low = m.quality;
      low = std::min(low, m.cost);
      high = std::max(high, m.cost);
    }
    CHECK(pool.cheapest_cost == low);
    CHECK(pool.dearest_cost == high);
    CHECK(pool.cheapest_quality == at_low);
    anchored += *distinct.begin() > low ? 1u : 0u;
    merged += distinct.size() < count ? 1u : 0u;
    for (const bool step : {false, true}) {
      for (const auto over :
           {reference::envelope::none, reference::envelope::running_maximum, reference::envelope::hull}) {
        if (over == reference::envelope::hull && step) continue;
        const ur::curve_convention convention{over == reference::envelope::none   ? ur::curve_envelope::none
                                              : over == reference::envelope::hull ? ur::curve_envelope::hull
                                                                                  : ur::curve_envelope::running_maximum,
                                              step ? ur::curve_interpolation::step : ur::curve_interpolation::linear};
        const ur::curve_function f(curve, pool, convention);
        const reference::function r(points, {low, at_low}, over, step);
        for (int g = 0; g <= 40; ++g) {
          const double cost = .13 + .0213 * g;
          CHECK(f(cost) == Approx(r.at(cost)).margin(1e-12));
        }
        for (const reference::knot& k : points) CHECK(f(k.cost) == Approx(r.at(k.cost)).margin(1e-12));
        CHECK(*ur::area(f) == Approx(r.integral(low, high) / high).margin(1e-12));
        CHECK(*ur::area(f, .7) == Approx(r.integral(low, std::max(low, .7 * high)) / high).margin(1e-12));
        CHECK(*ur::area(f, .1) == 0);  // before the cheapest model nothing can be afforded
        const double narea = r.integral(low, high) / (high - low);
        CHECK(*ur::normalised_area(f) == Approx(narea).margin(1e-12));
        double peak = r.at(high);
        for (const reference::knot& k : r.knots) {
          if (k.cost <= high) peak = std::max(peak, r.at(k.cost));
        }
        CHECK(f.peak() == Approx(peak).margin(1e-12));
        for (const double quality : {.1, .35, .55, .8, .95}) {
          const auto expected = r.cost_of(quality, high);
          const auto qnc = ur::quality_neutral_cost(f, quality);
          REQUIRE(qnc.has_value() == expected.has_value());
          (expected ? reached : missed) += 1;
          if (expected) CHECK(*qnc == Approx(*expected / high).margin(1e-6));
          const double weak = quality - .3, strong = quality + .1;
          CHECK(*ur::average_gap_recovered(f, weak, strong) == Approx((narea - weak) / .4).margin(1e-9));
          CHECK_FALSE(ur::average_gap_recovered(f, strong, weak));
          CHECK_FALSE(ur::average_gap_recovered(f, weak, weak));
          const auto call = ur::call_performance_threshold(f, weak, strong, .75);
          REQUIRE(call.has_value() == expected.has_value());
          if (expected) CHECK(*call == Approx(std::max(0.0, (*expected - low) / (high - low))).margin(1e-6));
          CHECK_FALSE(ur::call_performance_threshold(f, strong, weak, .75));
        }
      }
    }
  }
  CHECK(reached > 100);
  CHECK(missed > 100);
  CHECK(anchored > 10);
  CHECK(merged > 10);
}

TEST_CASE("without a range of costs there is no area, and all else is said") {
  ur::deferral_curve curve;
  curve.points = {{0, .5, .4, 1}};
  const std::vector<ur::curve_point> models{{0, .5, .3, 1}, {0, .5, .4, 1}};
  const auto pool = ur::range_of(models);
  CHECK(pool.cheapest_quality == .4);
  CHECK(pool.is_degenerate());
  const ur::curve_function f(curve, pool);
  CHECK_FALSE(ur::area(f));
  CHECK_FALSE(ur::normalised_area(f));
  CHECK_FALSE(ur::quality_neutral_cost(f, .1));
  CHECK_FALSE(ur::average_gap_recovered(f, .1, .5));
  CHECK_FALSE(ur::call_performance_threshold(f, .1, .5, .5));
  CHECK(f.peak() == .4);
}

TEST_CASE("summaries are those of the reference") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    ur::random_engine engine(seed);
    ur::protocol_result result;
    result.rho = .7;
    result.static_pool = seed % 4 == 0;
    const std::size_t trials = 9;
    for (const char* name : {"mine", "zero_router", "knn"}) {
      ur::method_result m;
      m.name = name;
      for (std::size_t t = 0; t < trials; ++t) {
        ur::trial_score s;
        const auto some = [&](double share) {
          return engine.uniform() < share ? ur::metric(engine.uniform()) : ur::metric();
        };
        const ur::metric narea = seed % 3 == 0 && std::string(name) == "mine" ? ur::metric() : some(.8);
        s.metrics = {{"narea", narea}};
        for (const char* other : {"area", "narea_prototype", "aiq"})
          s.metrics.emplace_back(other, narea ? some(1) : ur::metric());
        s.metrics.emplace_back("qnc", narea ? some(.6) : ur::metric());
        s.metrics.emplace_back("peak", engine.uniform());
        s.collapse = engine.uniform();
        s.coverage = engine.uniform();
        for (std::size_t g = 0; g < ur::curve_grid; ++g) {
          s.curve[g] = engine.uniform();
          s.cost[g] = engine.uniform();
        }
        if (engine.uniform() < .7) {
          s.prediction = ur::predictor_quality{};
          s.prediction->brier = engine.uniform();
          s.prediction->log_loss = engine.uniform();
          s.prediction->calibration_error = engine.uniform();
          if (engine.uniform() < .7) s.prediction->auc = engine.uniform();
        }
        s.chosen = engine.below(4) == 0 ? "" : "k = " + std::to_string(engine.below(2));
        s.weights = {{"a", engine.uniform()}, {"b", engine.uniform()}};
        m.trials.push_back(s);
      }
      result.methods.push_back(m);
    }
    for (std::size_t t = 0; t < trials; ++t)
      result.pools.push_back({"l" + std::to_string(t % 5), "l" + std::to_string(t % 3 + 5)});
    const auto& mine = result.methods[0];
    const auto s = ur::summarise(result, mine);
    CHECK(s.name == "mine");
    double with_area = 0;
    for (const auto& t : mine.trials) with_area += t.of("narea") ? 1 : 0;
    for (const char* name : {"area", "narea", "narea_prototype", "aiq", "qnc", "peak"}) {
      const auto& ours = s.of(name);
      CHECK(ours.name == name);
      reference::column values;
      for (const auto& t : mine.trials) {
        if (t.of(name)) values.push_back(*t.of(name));
      }
      CHECK(ours.defined == values.size());
      CHECK(ours.reached ==
            Approx(static_cast<double>(values.size()) / (with_area > 0 ? with_area : static_cast<double>(trials))));
      REQUIRE(ours.interval.has_value() == !values.empty());
      REQUIRE(ours.mean.has_value() == !values.empty());
      if (values.empty()) continue;
      const auto expected = ur::corrected_resampled_t(values, .7);
      CHECK(ours.interval->mean == Approx(reference::mean(values)));
      CHECK(*ours.mean == Approx(reference::mean(values)));
      CHECK(ours.interval->high == expected.high);
    }
    CHECK_THROWS_WITH(s.of("nothing"), Catch::Contains("'nothing' is no metric"));
    CHECK_THROWS_WITH(mine.trials[0].of("nothing"), Catch::Contains("'nothing' is no metric"));
    CHECK(s.trials == trials);
    reference::column collapse, brier, log_loss, calibration, auc, a, b;
    double coverage = 1;
    std::size_t zero = 0, one = 0;
    for (const auto& t : mine.trials) {
      collapse.push_back(t.collapse);
      coverage = std::min(coverage, t.coverage);
      a.push_back(t.weights[0].second);
      b.push_back(t.weights[1].second);
      zero += t.chosen == "k = 0" ? 1u : 0u;
      one += t.chosen == "k = 1" ? 1u : 0u;
      if (!t.prediction) continue;
      brier.push_back(t.prediction->brier);
      log_loss.push_back(t.prediction->log_loss);
      calibration.push_back(t.prediction->calibration_error);
      if (t.prediction->auc) auc.push_back(*t.prediction->auc);
    }
    CHECK(s.collapse == Approx(reference::mean(collapse)));
    CHECK(s.coverage == coverage);
    CHECK(s.left_out == trials - static_cast<std::size_t>(with_area));
    REQUIRE(s.prediction.has_value() == !brier.empty());
    if (s.prediction) {
      CHECK(s.prediction->brier == Approx(reference::mean(brier)));
      CHECK(s.prediction->log_loss == Approx(reference::mean(log_loss)));
      CHECK(s.prediction->calibration_error == Approx(reference::mean(calibration)));
      REQUIRE(s.prediction->auc.has_value() == !auc.empty());
      if (!auc.empty()) CHECK(*s.prediction->auc == Approx(reference::mean(auc)));
    }
    for (std::size_t g = 0; g < ur::curve_grid; g += 10) {
      reference::column curve, cost;
      for (const auto& t : mine.trials) {
        if (!t.of("narea") && with_area > 0) continue;
        curve.push_back(t.curve[g]);
        cost.push_back(t.cost[g]);
      }
      CHECK(s.curve[g] == Approx(reference::mean(curve)));
      CHECK(s.cost[g] == Approx(reference::mean(cost)));
    }
    REQUIRE(s.weights.size() == 2);
    CHECK(s.weights[0].first == "a");
    CHECK(s.weights[0].second == Approx(reference::mean(a)));
    CHECK(s.weights[1].second == Approx(reference::mean(b)));
    std::size_t counted = 0;
    for (std::size_t i = 0; i < s.chosen.size(); ++i) {
      CHECK(s.chosen[i].second == (s.chosen[i].first == "k = 0" ? zero : one));
      if (i > 0) CHECK(s.chosen[i - 1].second >= s.chosen[i].second);
      counted += s.chosen[i].second;
    }
    CHECK(counted == zero + one);
    for (const bool zero_router : {true, false}) {
      const auto& other = result.methods[zero_router ? 1 : 2];
      const auto& gain = zero_router ? s.gain_over_zero : s.gain_over_knn;
      reference::column gains;
      std::vector<std::vector<std::string>> pools;
      for (std::size_t t = 0; t < trials; ++t) {
        if (!mine.trials[t].of("narea") || !other.trials[t].of("narea")) continue;
        gains.push_back(*mine.trials[t].of("narea") - *other.trials[t].of("narea"));
        pools.push_back(result.pools[t]);
      }
      REQUIRE(gain.has_value() == !gains.empty());
      if (gains.empty()) continue;
      const auto expected = ur::corrected_resampled_t(gains, .7);
      CHECK(gain->mean.mean == Approx(reference::mean(gains)));
      CHECK(gain->mean.p_value == expected.p_value);
      CHECK(gain->p_sign == ur::sign_test(gains));
      REQUIRE(gain->over_models.has_value() == !result.static_pool);
      if (gain->over_models) CHECK(gain->over_models->low == ur::cluster_bootstrap(gains, pools).low);
    }
  }
}

namespace {

/// A table whose loss says where it was taken: prompt i and model h can be told from any outcome.
ur::routing_table marked(std::size_t n, std::size_t m, bool incomplete) {
  ur::routing_table_parts parts;
  parts.name = "marked";
  parts.losses = ur::make_matrix<double>(n, m);
  parts.costs = ur::make_matrix<double>(n, m);
  parts.embeddings = ur::make_matrix<float>(n, 1);
  for (std::size_t h = 0; h < m; ++h) parts.models.push_back({.name = "llm " + std::to_string(h)});
  for (std::size_t i = 0; i < n; ++i) {
    parts.ids.push_back(std::to_string(i));
    parts.embeddings(i, 0) = static_cast<float>(i);
    for (std::size_t h = 0; h < m; ++h) {
      parts.losses(i, h) = static_cast<double>((i * 37 + h * 101) % 997) / 997;
      parts.costs(i, h) = 1 + static_cast<double>(h) + .001 * static_cast<double>(i);
      // Of the last model only the first prompts were observed: in many trials none of a side.
      if (incomplete && h + 1 == m && i > 4) parts.losses(i, h) = ur::missing;
    }
  }
  return ur::routing_table(std::move(parts));
}

}  // namespace

TEST_CASE("the protocol shows methods what they may see, and scores them on the rest") {
  for (const bool incomplete : {false, true}) {
    const std::size_t n = 90, m = 8;
    const auto table = marked(n, m, incomplete);
    std::mutex guard;
    std::vector<std::vector<std::size_t>> fitted;
    const ur::embed_function embed = [&](std::span<const std::size_t> rows) {
      const std::lock_guard lock(guard);
      fitted.emplace_back(rows.begin(), rows.end());
      return table.embeddings();
    };
    std::vector<ur::trial_data> trials;
    const ur::routing_method spy{"spy", [&](const ur::trial_data& t) {
                                   const std::lock_guard lock(guard);
                                   trials.push_back(t);
                                   // Predicts by the model's place, so that every point of the curve is known.
                                   auto losses = ur::make_matrix<double>(ur::rows(t.test_x), t.unseen.size());
                                   auto costs = losses;
                                   for (std::size_t i = 0; i < ur::rows(losses); ++i) {
                                     for (std::size_t h = 0; h < t.unseen.size(); ++h) {
                                       losses(i, h) = (h + i) % 3 == 0 ? .25 : .5 + .01 * static_cast<double>(h);
                                       costs(i, h) = static_cast<double>(h + 1);
                                     }
                                   }
                                   return ur::prediction{std::move(losses), std::move(costs)};
                                 }};
    const std::size_t asked = 6;
    std::vector<std::size_t> reports;
    ur::protocol_options options{.trials = asked, .seed = 3, .validation_prompts = 20, .test = .4, .threads = 1};
    options.on_trial = [&](std::size_t done, std::size_t all) {
      CHECK(all == asked);
      reports.push_back(done);
    };
    const auto result = ur::run_protocol(table, embed, {spy}, options);
    CHECK(reports == std::vector<std::size_t>{1, 2, 3, 4, 5, 6});
    REQUIRE(trials.size() == asked);
    REQUIRE(fitted.size() == asked);
    std::size_t dropped = 0;
    for (std::size_t k = 0; k < asked; ++k) {
      const auto& t = trials[k];
      const auto rows_of = [&](const ur::embedding_matrix& x) {
        std::vector<std::size_t> out;
        for (const float v : x) out.push_back(static_cast<std::size_t>(v));
        return out;
      };
      const auto train = rows_of(t.train_x), validation = rows_of(t.validation_x), test = rows_of(t.test_x);
      CHECK(fitted[k] == train);  // an encoder learns from training rows alone
      std::set<std::size_t> all(train.begin(), train.end());
      all.insert(validation.begin(), validation.end());
      all.insert(test.begin(), test.end());
      CHECK(all.size() == train.size() + validation.size() + test.size());
      CHECK(validation.size() == 20);
      CHECK(test.size() == 36);
      const auto index = [&](const std::string& name) { return static_cast<std::size_t>(std::stoul(name.substr(4))); };
      std::set<std::size_t> models;
      for (const auto& name : t.seen) models.insert(index(name));
      for (const auto& name : t.unseen) CHECK(models.insert(index(name)).second);
      CHECK(result.pools[k] == t.unseen);
      const auto check = [&](const ur::matrix<double>& part, const ur::matrix<double>& of,
                             const std::vector<std::size_t>& rows, const std::vector<std::string>& names) {
        REQUIRE(ur::rows(part) == rows.size());
        REQUIRE(ur::columns(part) == names.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
          for (std::size_t h = 0; h < names.size(); ++h) {
            const double there = of(rows[i], index(names[h]));
            CHECK((part(i, h) == there || (part(i, h) != part(i, h) && there != there)));
          }
        }
      };
      check(t.train_losses, table.losses(), train, t.seen);
      check(t.train_costs, table.costs(), train, t.seen);
      check(t.validation_losses, table.losses(), validation, t.unseen);
      check(t.validation_costs, table.costs(), validation, t.unseen);
      CHECK(t.clairvoyant_losses.size() == 0);
      // An LLM without an outcome on either side is left out, and counted.
      std::size_t gone = m - models.size();
      for (const auto& name : t.unseen) {
        const auto observed = [&](const std::vector<std::size_t>& rows) {
          return std::any_of(rows.begin(), rows.end(), [&](std::size_t i) {
            return table.losses()(i, index(name)) == table.losses()(i, index(name));
          });
        };
        CHECK(observed(validation));
        CHECK(observed(test));
      }
      dropped += gone;
      // Scores: choices and their means, by loops.
      reference::table predicted, estimates, losses, costs;
      reference::column mean_loss(t.unseen.size(), 0.0), mean_cost(t.unseen.size(), 0.0);
      for (std::size_t i = 0; i < test.size(); ++i) {
        predicted.emplace_back();
        estimates.emplace_back();
        losses.emplace_back();
        costs.emplace_back();
        for (std::size_t h = 0; h < t.unseen.size(); ++h) {
          predicted[i].push_back((h + i) % 3 == 0 ? .25 : .5 + .01 * static_cast<double>(h));
          estimates[i].push_back(static_cast<double>(h + 1));
          losses[i].push_back(table.losses()(test[i], index(t.unseen[h])));
          costs[i].push_back(table.costs()(test[i], index(t.unseen[h])));
        }
      }
      std::size_t best = 0;
      for (std::size_t h = 0; h < t.unseen.size(); ++h) {
        double observed = 0;
        for (const std::size_t i : validation) {
          const double loss = table.losses()(i, index(t.unseen[h]));
          mean_cost[h] += table.costs()(i, index(t.unseen[h]));
          if (loss != loss) continue;
          mean_loss[h] += loss;
          observed += 1;
        }
        mean_loss[h] /= observed;
        if (mean_loss[h] < mean_loss[best]) best = h;
      }
      std::vector<reference::knot> knots;
      double coverage = 1, low = 1e9, high = 0, at_low = 0;
      for (const double price : reference::prices(predicted, estimates)) {
        const auto p =
            reference::realise(reference::choices_at(predicted, estimates, price * (1 + 1e-9) + 1e-12), losses, costs);
        if (knots.empty() || p.cost != knots.back().cost || p.quality != knots.back().quality)
          knots.push_back({p.cost, p.quality});
        coverage = std::min(coverage, p.coverage);
      }
      reference::column single;
      for (std::size_t h = 0; h < t.unseen.size(); ++h) {
        const auto p = reference::realise(std::vector<std::size_t>(test.size(), h), losses, costs);
        single.push_back(p.quality);
        if (p.cost < low) at_low = p.quality;
        low = std::min(low, p.cost);
        high = std::max(high, p.cost);
      }
      const auto& score = result.method("spy").trials[k];
      const reference::function f(knots, {low, at_low}, reference::envelope::none, false);
      CHECK(*score.of("narea") == Approx(f.integral(low, high) / (high - low)));
      CHECK(*score.of("area") == Approx(f.integral(low, high) / high));
      CHECK(*score.of("narea_prototype") ==
            Approx(reference::function(knots, {low, at_low}, reference::envelope::running_maximum, false)
                       .integral(low, high) /
                   (high - low)));
      CHECK(*score.of("aiq") ==
            Approx(reference::function(knots, {low, at_low}, reference::envelope::hull, false).integral(low, high) /
                   (high - low)));
      const auto qnc = f.cost_of(single[best], high);
      REQUIRE(score.of("qnc").has_value() == qnc.has_value());
      if (qnc) CHECK(*score.of("qnc") == Approx(*qnc / high).margin(1e-6));
      CHECK(score.coverage == Approx(coverage));
      for (std::size_t g = 0; g < ur::curve_grid; g += 20) {
        const double cost = low + static_cast<double>(g) / 100 * (high - low);
        CHECK(score.curve[g] == Approx(f.at(cost)));
        CHECK(score.cost[g] == Approx(cost / high));
      }
      std::vector<double> firsts(t.unseen.size(), 0.0);
      for (const std::size_t h : reference::choices_at(predicted, estimates, 0))
        firsts[h] += 1.0 / static_cast<double>(test.size());
      CHECK(score.collapse == Approx(*std::max_element(firsts.begin(), firsts.end())));
    }
    CHECK(result.dropped == dropped);
    if (incomplete) CHECK(dropped >= 1);
    CHECK(result.unseen == trials[0].unseen.size() + (m - trials[0].seen.size() - trials[0].unseen.size()));
    CHECK(result.test == 36);
    CHECK(result.validation == 20);
    CHECK(result.rho == Approx(36.0 / static_cast<double>(result.train + 20)));
    // Trials from a later one on are those trials.
    options.first_trial = 4;
    options.trials = 2;
    options.on_trial = nullptr;
    const auto later = ur::run_protocol(table, embed, {spy}, options);
    CHECK(later.pools[0] == result.pools[4]);
    CHECK(*later.method("spy").trials[1].of("narea") == *result.method("spy").trials[5].of("narea"));
  }
}
