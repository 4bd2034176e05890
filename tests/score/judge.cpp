// Judges err as often as they say, and the same way whatever part of a table an answer stands in.

#include <catch2/catch.hpp>
#include <uniroute/score/score.hpp>

namespace ur = uniroute;

TEST_CASE("a verdict is wrong with probability epsilon, call by call") {
  for (const double error : {0.0, 0.1, 0.5, 1.0}) {
    const ur::noisy_judge judge(error, 7);
    std::size_t wrong[2] = {0, 0};
    for (std::uint64_t key = 0; key < 20000; ++key) {
      wrong[0] += judge.score(0, key) == 1 ? 1u : 0u;
      wrong[1] += judge.score(1, key) == 0 ? 1u : 0u;
      CHECK(judge.score(1, key) == judge.score(1, key));
    }
    for (const std::size_t w : wrong)
      CHECK(static_cast<double>(w) / 20000 == Approx(error).margin(4 * std::sqrt(error * (1 - error) / 20000)));
  }
  // An answer is good from the threshold on.
  CHECK(ur::noisy_judge(0, 1, .5).score(.5, 3) == 1);
  CHECK(ur::noisy_judge(0, 1, .5).score(.49, 3) == 0);
  CHECK_THROWS_WITH(ur::noisy_judge(1.5, 1), Catch::Contains("error_rate is 1.5"));
  CHECK_THROWS_WITH(ur::noisy_judge(.5, 1, -1), Catch::Contains("threshold is -1"));
}

TEST_CASE("a verifier ranks right answers first as often as its AUC says") {
  for (const double auc : {0.5, 0.8, 0.9}) {
    const ur::verifier judge(auc, 3);
    double above = 0;
    for (std::uint64_t key = 0; key < 20000; ++key)
      above += judge.score(1, 2 * key) > judge.score(0, 2 * key + 1) ? 1 : 0;
    CHECK(above / 20000 == Approx(auc).margin(4 * std::sqrt(auc * (1 - auc) / 20000)));
  }
  CHECK_THROWS_WITH(ur::verifier(1, 1), Catch::Contains("auc is 1"));
  CHECK_THROWS_WITH(ur::verifier(.4, 1), Catch::Contains("auc is 0.4"));
}

TEST_CASE("answers are judged by prompt and LLM, wherever they stand") {
  const ur::loss_matrix losses{{0, 1, ur::missing}, {1, 0, 0}};
  const ur::verifier judge(.8, 5);
  const auto all = ur::judge_answers(judge, losses, {11, 22}, {"a", "b", "c"});
  const ur::loss_matrix part{{0, 1}};
  const auto some = ur::judge_answers(judge, part, {22}, {"c", "a"});
  CHECK(some(0, 0) == all(1, 2));
  CHECK(some(0, 1) == all(1, 0));
  CHECK(ur::is_missing(all(0, 2)));
  CHECK(all(0, 0) != all(1, 1));
  CHECK_THROWS_WITH(ur::judge_answers(judge, losses, {11}, {"a", "b", "c"}), Catch::Contains("1 keys"));
}
