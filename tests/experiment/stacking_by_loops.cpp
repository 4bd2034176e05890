// Stacked weights are the least of the squared error that docs/predict.md writes down, evaluated in plain loops.

#include <catch2/catch.hpp>
#include <set>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

struct sample {
  std::vector<ur::loss_matrix> predicted;
  std::vector<double> means;
  ur::loss_matrix losses;
};

sample drawn(std::uint64_t seed, std::size_t predictors, double missing) {
  ur::random_engine engine(seed);
  sample out;
  const std::size_t n = 15, m = 4;
  out.losses = ur::make_matrix<double>(n, m);
  for (std::size_t h = 0; h < m; ++h) out.means.push_back(.2 + .15 * static_cast<double>(h));
  for (std::size_t p = 0; p < predictors; ++p) out.predicted.push_back(ur::make_matrix<double>(p == 1 ? 1 : n, m));
  for (std::size_t i = 0; i < n; ++i) {
    const double hard = .3 * engine.normal();
    for (std::size_t h = 0; h < m; ++h) {
      const double signal = .2 * engine.normal();
      out.losses(i, h) = engine.uniform() < missing ? ur::missing : std::clamp(out.means[h] + hard + signal, 0.0, 1.0);
      for (std::size_t p = 0; p < predictors; ++p) {
        if (ur::rows(out.predicted[p]) == 1 && i > 0) continue;
        out.predicted[p](i, h) = out.means[h] + (p == 0 ? .8 : .3) * signal + .1 * engine.normal();
      }
    }
  }
  return out;
}

/// Σ over samples of the mean over prompts of Σ_h (ℓ̃ − Σ_m w_m d̃_m)², where ~ takes off a prompt's mean over the LLMs
/// observed there (two at least), plus prior · t Σ (w − 1/P)², t the mean over predictors of Σ d̃².
double error(const std::vector<sample>& samples, const std::vector<double>& w, double prior) {
  double out = 0, scale = 0;
  const double p = static_cast<double>(w.size());
  for (const sample& s : samples) {
    const std::size_t n = ur::rows(s.losses), m = s.means.size();
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<std::size_t> observed;
      for (std::size_t h = 0; h < m; ++h) {
        if (!ur::is_missing(s.losses(i, h))) observed.push_back(h);
      }
      if (observed.size() < 2) continue;
      const auto deviation = [&](std::size_t k, std::size_t h) {
        const auto& of = s.predicted[k];
        return of(ur::rows(of) == 1 ? 0 : i, h) - s.means[h];
      };
      for (const std::size_t h : observed) {
        double miss = s.losses(i, h) - s.means[h];
        for (const std::size_t o : observed)
          miss -= (s.losses(i, o) - s.means[o]) / static_cast<double>(observed.size());
        for (std::size_t k = 0; k < w.size(); ++k) {
          double d = deviation(k, h);
          for (const std::size_t o : observed) d -= deviation(k, o) / static_cast<double>(observed.size());
          miss -= w[k] * d;
          scale += d * d / static_cast<double>(n) / p;
        }
        out += miss * miss / static_cast<double>(n);
      }
    }
  }
  for (const double weight : w) out += prior * scale * (weight - 1 / p) * (weight - 1 / p);
  return out;
}

}  // namespace

TEST_CASE("stacked weights have the least squared error of all that are not negative") {
  std::size_t at_zero = 0, inside = 0;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    const std::size_t predictors = 2 + seed % 2;
    const std::vector<sample> samples{drawn(seed, predictors, .2),
                                      drawn(seed + 100, predictors, seed % 3 == 0 ? .8 : 0)};
    for (const double prior : {0.0, .1, 2.0}) {
      ur::stacking stack(predictors), other(predictors);
      for (std::size_t s = 0; s < samples.size(); ++s) {
        std::vector<const ur::loss_matrix*> predicted;
        for (const auto& of : samples[s].predicted) predicted.push_back(&of);
        (s == 0 ? stack : other).add(predicted, samples[s].means, samples[s].losses);
      }
      stack.add(other);
      const auto w = stack.weights(prior);
      const double least = error(samples, w, prior);
      for (std::size_t k = 0; k < predictors; ++k) {
        CHECK(w[k] >= 0);
        for (const double step : {-1e-3, 1e-3}) {
          auto moved = w;
          moved[k] = std::max(0.0, moved[k] + step);
          CHECK(error(samples, moved, prior) >= least - 1e-12);
        }
        (w[k] == 0 ? at_zero : inside) += 1;
      }
      std::vector<double> none(predictors, 0.0);
      CHECK(stack.error_spared(w) == Approx(error(samples, none, 0) - error(samples, w, 0)).margin(1e-12));
    }
  }
  CHECK(at_zero > 5);
  CHECK(inside > 50);
}

TEST_CASE("repeated rehearsals hold out other groups of LLMs") {
  ur::trial_data t;
  t.seed = 4;
  const std::size_t n = 40, m = 9;
  t.train_x = ur::make_matrix<float>(n, 1, 0.0F);
  t.validation_x = ur::make_matrix<float>(10, 1, 0.0F);
  t.train_losses = ur::make_matrix<double>(n, m, .5);
  t.train_costs = ur::make_matrix<double>(n, m, 1.0);
  for (std::size_t i = 0; i < n; ++i) t.train_x(i, 0) = static_cast<float>(i);
  for (std::size_t h = 0; h < m; ++h) t.seen.push_back("llm " + std::to_string(h));
  const auto& list = ur::rehearsals_of(t, {.folds = 3, .repeats = 4});
  REQUIRE(list.size() == 12);
  std::set<std::set<std::string>> groups;
  for (const auto& r : list) groups.insert({r.trial.unseen.begin(), r.trial.unseen.end()});
  // 12 draws of 3 out of 9 in four partitions: the same partition again and again would be three groups.
  CHECK(groups.size() >= 9);
  std::set<std::uint64_t> seeds;
  for (const auto& r : list) seeds.insert(r.trial.seed);
  CHECK(seeds.size() == 12);
}
