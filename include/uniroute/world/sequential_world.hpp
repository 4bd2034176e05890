#pragma once

// Units smaller than a prompt, where one choice changes what follows: tokens, routed one by one between a small and a
// large LLM (CITER, 2502.01976), in a world whose law is known. No token-level outcomes are public.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/random.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// The law of `sequential_world`: K types of tokens (easy, arithmetic, open …), of which a router sees one of O
/// observations. Index 0 is the small LLM, 1 the large one.
struct sequential_law {
  std::size_t steps = 0;                             ///< tokens of an answer
  std::vector<double> start = {};                    ///< K: of the first token's type
  std::vector<std::vector<double>> next = {};        ///< K x K: of the next one's, given this one's
  std::vector<std::vector<double>> observed = {};    ///< K x O: of what is seen, given the type
  std::array<std::vector<double>, 2> right = {};     ///< K: that the LLM's token is the reference's
  std::array<std::vector<double>, 2> derails = {};   ///< K: that another token leads off the track
  std::array<std::vector<double>, 2> recovers = {};  ///< K: that a derailed answer is back on it after this token
  std::array<double, 2> solved = {};                 ///< that the answer is right: on the track, derailed
};

/// What a policy comes to: exact.
struct sequential_value {
  double accuracy = 0;        ///< of final answers
  double share_of_large = 0;  ///< of tokens
};

/// One token of training: what was seen, and whether the large LLM should write it.
struct token_label {
  std::uint32_t observation = 0;
  bool large = false;
};

/// Whether CITER labels a token by the final answer where both LLMs miss the reference.
enum class token_labels {
  long_term,  ///< roll the answer out from the small LLM's token: right, it is enough; else the large one
  next_token  ///< leave such tokens out: what its ablation does
};

/// Answers as walks of tokens on or off a track. Policies are, for each observation, the probability that the large LLM
/// writes the token; their accuracy and cost are computed exactly, forward over steps, types and the track.
class sequential_world {
 public:
  /// Throws std::invalid_argument for shapes and laws that do not sum to one (to 1e-9), std::domain_error for what is
  /// no probability.
  explicit sequential_world(sequential_law law) : law_(std::move(law)) {
    constexpr auto where = "sequential_world";
    detail::require(law_.steps != 0 && !law_.start.empty(), where, ": there are ", law_.steps, " steps and ",
                    law_.start.size(), " types, but must be at least 1 of each");
    const std::size_t k = types();
    check_row("start", law_.start, k);
    detail::require(law_.next.size() == k && law_.observed.size() == k, where, ": next has ", law_.next.size(),
                    " rows and observed ", law_.observed.size(), ", but must have one for each type, ", k);
    for (const auto& of : law_.next) check_row("a row of next", of, k);
    detail::require(!law_.observed[0].empty(), where, ": there are 0 observations, but must be at least 1");
    for (const auto& of : law_.observed) check_row("a row of observed", of, law_.observed[0].size());
    for (std::size_t m = 0; m < 2; ++m) {
      for (const auto* of : {&law_.right[m], &law_.derails[m], &law_.recovers[m]}) {
        detail::require(of->size() == k, where, ": right, derails and recovers have ", of->size(),
                        " entries, but must have one for each type, ", k);
        for (const double p : *of) check_probability(p);
      }
      check_probability(law_.solved[m]);
    }
  }

  std::size_t types() const noexcept { return law_.start.size(); }
  std::size_t observations() const noexcept { return law_.observed[0].size(); }
  const sequential_law& law() const noexcept { return law_; }

  /// A policy's exact value. Throws std::invalid_argument for a policy that is not one probability for each
  /// observation.
  sequential_value evaluate(std::span<const double> policy) const {
    check_policy("sequential_world::evaluate", policy);
    sequential_value out;
    // P[type, track] before each token.
    std::vector<std::array<double, 2>> at(types());
    for (std::size_t k = 0; k < types(); ++k) at[k] = {law_.start[k], 0};
    for (std::size_t step = 0; step < law_.steps; ++step) {
      std::vector<std::array<double, 2>> after(types());
      for (std::size_t k = 0; k < types(); ++k) {
        double large = 0;
        for (std::size_t o = 0; o < observations(); ++o) large += law_.observed[k][o] * policy[o];
        out.share_of_large += (at[k][0] + at[k][1]) * large / static_cast<double>(law_.steps);
        for (std::size_t m = 0; m < 2; ++m) {
          const double asked = m == 1 ? large : 1 - large;
          const double leaves = (1 - law_.right[m][k]) * law_.derails[m][k], returns = law_.recovers[m][k];
          after[k][0] += asked * (at[k][0] * (1 - leaves) + at[k][1] * returns);
          after[k][1] += asked * (at[k][0] * leaves + at[k][1] * (1 - returns));
        }
      }
      if (step + 1 == law_.steps) {
        for (const auto& of : after) out.accuracy += of[0] * law_.solved[0] + of[1] * law_.solved[1];
        break;
      }
      for (auto& of : at) of = {0, 0};
      for (std::size_t k = 0; k < types(); ++k) {
        for (std::size_t to = 0; to < types(); ++to) {
          at[to][0] += after[k][0] * law_.next[k][to];
          at[to][1] += after[k][1] * law_.next[k][to];
        }
      }
    }
    return out;
  }

  /// The best that any router could do which sees the type, the track and the step: accuracy − price · share of large
  /// tokens, maximised by dynamic programming; the value of that policy. Throws std::invalid_argument for a negative
  /// price.
  sequential_value oracle(double price) const {
    detail::require(price >= 0 && std::isfinite(price), "sequential_world::oracle: price is ", price,
                    ", but must be finite and at least 0");
    const double each = price / static_cast<double>(law_.steps);
    // Backward: the value and the accuracy and cost to come, before a token of type k, on the track or not.
    struct to_come {
      double accuracy = 0, large = 0;
    };
    std::vector<std::array<to_come, 2>> later(types());
    for (auto& of : later) of = {to_come{law_.solved[0], 0}, to_come{law_.solved[1], 0}};
    bool last = true;
    for (std::size_t step = law_.steps; step-- > 0; last = false) {
      std::vector<std::array<to_come, 2>> now(types());
      for (std::size_t k = 0; k < types(); ++k) {
        // What follows this token's track, over the next type.
        std::array<to_come, 2> follows{};
        for (std::size_t track = 0; track < 2; ++track) {
          if (last) {
            follows[track] = later[k][track];
            continue;
          }
          for (std::size_t to = 0; to < types(); ++to) {
            follows[track].accuracy += law_.next[k][to] * later[to][track].accuracy;
            follows[track].large += law_.next[k][to] * later[to][track].large;
          }
        }
        for (std::size_t track = 0; track < 2; ++track) {
          double best = -1e300;
          for (std::size_t m = 0; m < 2; ++m) {
            const double stays = track == 0 ? 1 - (1 - law_.right[m][k]) * law_.derails[m][k] : law_.recovers[m][k];
            const to_come of{stays * follows[0].accuracy + (1 - stays) * follows[1].accuracy,
                             stays * follows[0].large + (1 - stays) * follows[1].large + (m == 1 ? 1.0 : 0.0)};
            const double value = of.accuracy - each * of.large;
            if (value <= best) continue;
            best = value;
            now[k][track] = of;
          }
        }
      }
      later = std::move(now);
    }
    sequential_value out;
    for (std::size_t k = 0; k < types(); ++k) {
      out.accuracy += law_.start[k] * later[k][0].accuracy;
      out.share_of_large += law_.start[k] * later[k][0].large / static_cast<double>(law_.steps);
    }
    return out;
  }

  /// Labels of the tokens of `answers` reference answers (CITER, section 3.2): the small LLM's token is the
  /// reference's, small; else the large LLM's is, large; else by `how`, where a roll-out goes on with `policy`. Throws
  /// std::invalid_argument for a policy as `evaluate`.
  std::vector<token_label> label(std::size_t answers, std::span<const double> policy, token_labels how,
                                 std::uint64_t seed) const {
    check_policy("sequential_world::label", policy);
    random_engine draws(seed);
    std::vector<token_label> out;
    for (std::size_t a = 0; a < answers; ++a) {
      std::size_t k = draw(law_.start, draws);
      for (std::size_t step = 0; step < law_.steps; ++step) {
        const auto seen = static_cast<std::uint32_t>(draw(law_.observed[k], draws));
        const bool by_small = draws.uniform() < law_.right[0][k], by_large = draws.uniform() < law_.right[1][k];
        if (by_small || by_large) {
          out.push_back({seen, !by_small});
        } else if (how == token_labels::long_term) {
          out.push_back({seen, !rolls_out(k, step, policy, draws)});
        }
        k = draw(law_.next[k], draws);
      }
    }
    return out;
  }

 private:
  static void check_probability(double p) {
    detail::require<std::domain_error>(p >= 0 && p <= 1, "sequential_world: a probability is ", p,
                                       ", but must be in [0, 1]");
  }
  static void check_row(std::string_view name, std::span<const double> of, std::size_t size) {
    detail::require(of.size() == size, "sequential_world: ", name, " has ", of.size(), " entries, but must have ",
                    size);
    double sum = 0;
    for (const double p : of) {
      check_probability(p);
      sum += p;
    }
    detail::require(std::fabs(sum - 1) <= 1e-9, "sequential_world: ", name, " sums to ", sum, ", but must sum to 1");
  }
  void check_policy(std::string_view where, std::span<const double> policy) const {
    detail::require(policy.size() == observations(), where, ": policy has ", policy.size(),
                    " entries, but must have one for each observation, ", observations());
    for (const double p : policy)
      detail::require<std::domain_error>(p >= 0 && p <= 1, where, ": a probability is ", p, ", but must be in [0, 1]");
  }
  static std::size_t draw(std::span<const double> law, random_engine& draws) {
    double u = draws.uniform();
    for (std::size_t at = 0; at + 1 < law.size(); ++at) {
      if (u < law[at]) return at;
      u -= law[at];
    }
    return law.size() - 1;
  }
  /// Whether the answer is right that goes on from the small LLM's wrong token of type k at `step`.
  bool rolls_out(std::size_t k, std::size_t step, std::span<const double> policy, random_engine& draws) const {
    bool off = draws.uniform() < law_.derails[0][k];
    for (++step; step < law_.steps; ++step) {
      k = draw(law_.next[k], draws);
      const std::size_t m = draws.uniform() < policy[draw(law_.observed[k], draws)] ? 1 : 0;
      if (off) {
        off = draws.uniform() >= law_.recovers[m][k];
      } else {
        off = draws.uniform() >= law_.right[m][k] && draws.uniform() < law_.derails[m][k];
      }
    }
    return draws.uniform() < law_.solved[off ? 1 : 0];
  }

  sequential_law law_;
};

/// How CITER learns.
struct citer_options {
  std::size_t answers = 4000;  ///< reference answers of a round
  std::size_t rounds = 2;      ///< the first rolls out with the small LLM alone, later ones with the router so far
  double threshold = 0.5;      ///< of that router
  token_labels labels = token_labels::long_term;
  std::uint64_t seed = 1;
};

/// CITER's router: for each observation the share of its tokens that the large LLM should write, shrunk by one token of
/// each kind. A threshold on it is a policy (`threshold_policy`). Throws std::invalid_argument for no answers or
/// rounds.
inline std::vector<double> learn_citer(const sequential_world& world, const citer_options& options = {}) {
  detail::require(options.answers != 0 && options.rounds != 0, "learn_citer: answers is ", options.answers,
                  " and rounds is ", options.rounds, ", but must be at least 1");
  std::vector<double> policy(world.observations(), 0.0), scores;
  for (std::size_t round = 0; round < options.rounds; ++round) {
    std::vector<double> large(policy.size(), 1.0), all(policy.size(), 2.0);
    for (const auto& token : world.label(options.answers, policy, options.labels, derive_seed(options.seed, round))) {
      all[token.observation] += 1;
      large[token.observation] += token.large ? 1 : 0;
    }
    scores.assign(policy.size(), 0.0);
    for (std::size_t o = 0; o < scores.size(); ++o) {
      scores[o] = large[o] / all[o];
      policy[o] = scores[o] >= options.threshold ? 1 : 0;
    }
  }
  return scores;
}

/// The large LLM where the score reaches the threshold.
inline std::vector<double> threshold_policy(std::span<const double> scores, double threshold) {
  std::vector<double> out;
  for (const double s : scores) out.push_back(s >= threshold ? 1 : 0);
  return out;
}

/// Exact values of the policies of all thresholds, from the small LLM alone to the large one alone: one for each
/// distinct score, and neither.
inline std::vector<std::pair<double, sequential_value>> trace_token_scores(const sequential_world& world,
                                                                           std::span<const double> scores) {
  std::vector<double> at(scores.begin(), scores.end());
  at.push_back(2);
  std::sort(at.begin(), at.end(), std::greater<>());
  at.erase(std::unique(at.begin(), at.end()), at.end());
  std::vector<std::pair<double, sequential_value>> out;
  for (const double t : at) out.emplace_back(t, world.evaluate(threshold_policy(scores, t)));
  return out;
}

/// A world in which the long term matters: of six types of tokens, two are *open* (no LLM writes the reference's token,
/// and only the small LLM's leads off the track, of one of them always, of the other never).
inline sequential_world citer_world(std::size_t steps = 12) {
  sequential_law law;
  law.steps = steps;
  const std::vector<double> mix{0.35, 0.2,  0.1,
                                0.05, 0.15, 0.15};  // easy, plain, hard, numbers, open and harmful, open
  law.start = mix;
  for (std::size_t k = 0; k < mix.size(); ++k) {
    law.next.emplace_back(mix);
    for (double& p : law.next.back()) p *= 0.7;
    law.next.back()[k] += 0.3;
    law.observed.emplace_back(std::vector<double>(mix.size(), 0.15 / 5));
    law.observed.back()[k] = 0.85;
  }
  law.right = {std::vector<double>{0.98, 0.9, 0.55, 0.6, 0.06, 0.06},
               std::vector<double>{0.99, 0.97, 0.93, 0.95, 0.02, 0.02}};
  law.derails = {std::vector<double>{0.2, 0.3, 0.6, 0.8, 0.7, 0.02},
                 std::vector<double>{0.2, 0.3, 0.6, 0.8, 0.05, 0.02}};
  law.recovers = {std::vector<double>(6, 0.02), std::vector<double>(6, 0.08)};
  law.solved = {0.95, 0.1};
  return sequential_world(std::move(law));
}

}  // namespace uniroute
