// Token by token: exact values against simulation by hand, dynamic programming against every policy, CITER's labels.

#include <catch2/catch.hpp>
#include <uniroute/world/sequential_world.hpp>

namespace ur = uniroute;

namespace {

/// Two types that are seen as they are; three tokens.
ur::sequential_law small_law() {
  ur::sequential_law law;
  law.steps = 3;
  law.start = {.6, .4};
  law.next = {{.7, .3}, {.2, .8}};
  law.observed = {{1, 0}, {0, 1}};
  law.right = {std::vector<double>{.9, .3}, std::vector<double>{.95, .8}};
  law.derails = {std::vector<double>{.5, .9}, std::vector<double>{.4, .6}};
  law.recovers = {std::vector<double>{.1, 0}, std::vector<double>{.3, .2}};
  law.solved = {.9, .05};
  return law;
}

double area(const std::vector<std::pair<double, ur::sequential_value>>& curve) {
  double out = 0;
  for (std::size_t i = 1; i < curve.size(); ++i) {
    const auto &a = curve[i - 1].second, &b = curve[i].second;
    out += (b.share_of_large - a.share_of_large) * (a.accuracy + b.accuracy) / 2;
  }
  return out;
}

}  // namespace

TEST_CASE("a policy's value is the sum over all walks") {
  const auto law = small_law();
  const ur::sequential_world world(law);
  const std::vector<double> policy{.25, .75};
  // Every walk of types, LLMs and tracks, with its probability.
  double accuracy = 0, large = 0, total = 0;
  const auto walk = [&](auto&& self, std::size_t step, std::size_t k, bool off, double p, double asked) -> void {
    if (step == 3) {
      total += p;
      accuracy += p * law.solved[off ? 1 : 0];
      large += p * asked / 3;
      return;
    }
    for (std::size_t m = 0; m < 2; ++m) {
      const double chosen = m == 1 ? policy[k] : 1 - policy[k];
      const double leaves = off ? 1 - law.recovers[m][k] : (1 - law.right[m][k]) * law.derails[m][k];
      for (std::size_t to = 0; to < (step == 2 ? 1 : 2); ++to) {
        const double next = step == 2 ? 1 : law.next[k][to];
        self(self, step + 1, to, true, p * chosen * leaves * next, asked + static_cast<double>(m));
        self(self, step + 1, to, false, p * chosen * (1 - leaves) * next, asked + static_cast<double>(m));
      }
    }
  };
  for (std::size_t k = 0; k < 2; ++k) walk(walk, 0, k, false, law.start[k], 0);
  const auto value = world.evaluate(policy);
  CHECK(total == Approx(1));
  CHECK(value.accuracy == Approx(accuracy));
  CHECK(value.share_of_large == Approx(large));
  CHECK(world.evaluate(std::vector<double>{0, 0}).share_of_large == 0);
  CHECK(world.evaluate(std::vector<double>{1, 1}).share_of_large == Approx(1));
}

TEST_CASE("no policy beats the oracle at any price, and where everything is seen one comes near") {
  const ur::sequential_world world(small_law());
  for (const double price : {0.0, .05, .2, .5, 2.0}) {
    const auto oracle = world.oracle(price);
    const double best = oracle.accuracy - price * oracle.share_of_large;
    double closest = 1;
    for (int a = 0; a <= 10; ++a) {
      for (int b = 0; b <= 10; ++b) {
        const auto v = world.evaluate(std::vector<double>{a / 10., b / 10.});
        CHECK(v.accuracy - price * v.share_of_large <= best + 1e-12);
        closest = std::min(closest, best - (v.accuracy - price * v.share_of_large));
      }
    }
    CHECK(closest < .04);  // the oracle also sees the track and the step
  }
  CHECK(world.oracle(100).share_of_large == 0);
  CHECK_THROWS_WITH(world.oracle(-1), Catch::Contains("price is -1"));
}

TEST_CASE("labels: small where it is right, large where only it is, else by how the answer ends") {
  auto law = small_law();
  law.right = {std::vector<double>{1, 0}, std::vector<double>{1, 1}};
  const ur::sequential_world clear(law);
  const std::vector<double> none{0, 0};
  for (const auto& token : clear.label(300, none, ur::token_labels::long_term, 3))
    CHECK(token.large == (token.observation == 1));
  // Both always wrong on the second type: by the roll-out. The small LLM's token never leads off the track, and always.
  law.right = {std::vector<double>{1, 0}, std::vector<double>{1, 0}};
  law.solved = {1, 0};
  law.recovers = {std::vector<double>{0, 0}, std::vector<double>{0, 0}};
  for (const double harm : {0.0, 1.0}) {
    law.derails = {std::vector<double>{0, harm}, std::vector<double>{0, 0}};
    const ur::sequential_world world(law);
    std::size_t open = 0;
    for (const auto& token : world.label(300, std::vector<double>{0, 1}, ur::token_labels::long_term, 3)) {
      if (token.observation == 1) {
        ++open;
        CHECK(token.large == (harm == 1));
      }
    }
    CHECK(open > 100);
    for (const auto& token : world.label(300, none, ur::token_labels::next_token, 3)) CHECK(token.observation == 0);
  }
}

TEST_CASE("CITER comes within 5% of the best router of its kind, and without the long term it does not") {
  const auto world = ur::citer_world();
  const auto learned = ur::learn_citer(world, {.answers = 2000});
  const auto blind = ur::learn_citer(world, {.answers = 2000, .labels = ur::token_labels::next_token});
  // The best of its kind: the hull over all sets of observations.
  std::vector<std::pair<double, ur::sequential_value>> all, hull;
  for (std::uint32_t set = 0; set < 64; ++set) {
    std::vector<double> policy;
    for (std::uint32_t o = 0; o < 6; ++o) policy.push_back(set >> o & 1U);
    all.emplace_back(0, world.evaluate(policy));
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.second.share_of_large < b.second.share_of_large; });
  for (const auto& p : all) {
    if (!hull.empty() && p.second.accuracy <= hull.back().second.accuracy) continue;
    while (hull.size() >= 2) {
      const auto &a = hull[hull.size() - 2].second, &b = hull.back().second;
      if ((b.accuracy - a.accuracy) * (p.second.share_of_large - a.share_of_large) >
          (p.second.accuracy - a.accuracy) * (b.share_of_large - a.share_of_large))
        break;
      hull.pop_back();
    }
    hull.push_back(p);
  }
  const double small = world.evaluate(std::vector<double>(6, 0.0)).accuracy;
  const double best = area(hull) - small, with = area(ur::trace_token_scores(world, learned)) - small,
               without = area(ur::trace_token_scores(world, blind)) - small;
  CHECK(with >= .95 * best);
  CHECK(without < .95 * best);
  CHECK(without < with - .01);
  // The harmful open tokens are the large LLM's, the harmless ones are not.
  CHECK(learned[4] > learned[5] + .15);
  CHECK(ur::learn_citer(world, {.answers = 2000}) == learned);
  CHECK_THROWS_WITH(ur::learn_citer(world, {.answers = 0}), Catch::Contains("answers is 0"));
}

TEST_CASE("laws that are none are refused") {
  const auto with = [](auto change) {
    auto law = small_law();
    change(law);
    return ur::sequential_world(law);
  };
  CHECK_THROWS_WITH(with([](auto& l) { l.steps = 0; }), Catch::Contains("there are 0 steps"));
  CHECK_THROWS_WITH(with([](auto& l) { l.start = {.5, .4}; }), Catch::Contains("start sums to 0.9"));
  CHECK_THROWS_WITH(with([](auto& l) { l.next[1] = {.5, .6}; }), Catch::Contains("a row of next sums to 1.1"));
  CHECK_THROWS_WITH(with([](auto& l) { l.next.pop_back(); }), Catch::Contains("next has 1 rows"));
  CHECK_THROWS_WITH(with([](auto& l) { l.observed[1] = {1}; }), Catch::Contains("a row of observed has 1 entries"));
  CHECK_THROWS_WITH(with([](auto& l) { l.right[1] = {1}; }), Catch::Contains("have 1 entries"));
  CHECK_THROWS_WITH(with([](auto& l) { l.solved[0] = 1.2; }), Catch::Contains("a probability is 1.2"));
  const ur::sequential_world world(small_law());
  CHECK_THROWS_WITH(world.evaluate(std::vector<double>{1}), Catch::Contains("policy has 1 entries"));
  CHECK_THROWS_WITH(world.evaluate(std::vector<double>{1, 2}), Catch::Contains("a probability is 2"));
  CHECK_THROWS_WITH(world.label(1, {}, ur::token_labels::long_term, 1), Catch::Contains("policy has 0 entries"));
}
