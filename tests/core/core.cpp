#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/route/save.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

TEST_CASE("draws are the published ones: SplitMix64 of a counter, and doubles in [0, 1)") {
  // First outputs of SplitMix64 from seed 1234567, as its authors' test vectors have them.
  std::uint64_t x = 1234567;
  CHECK(ur::mix_bits(x) == 6457827717110365317ULL);
  CHECK(ur::mix_bits(x + 0x9E3779B97F4A7C15) == 3203168211198807973ULL);
  CHECK(ur::to_uniform(~std::uint64_t{0}) < 1);
  CHECK(ur::to_uniform(0) == 0);
}

TEST_CASE("draws below n are uniform, normal draws have mean 0 and variance 1") {
  ur::random_engine engine(5);
  std::vector<double> counts(7, 0);
  double sum = 0, squares = 0;
  const int n = 70000;
  for (int i = 0; i < n; ++i) {
    ++counts[engine.below(7)];
    const double z = engine.normal();
    sum += z;
    squares += z * z;
  }
  double chi = 0;
  for (const double c : counts) chi += (c - n / 7.) * (c - n / 7.) / (n / 7.);
  CHECK(chi < 24.1);  // 99.95% of chi-squared with 6 degrees of freedom
  CHECK(std::fabs(sum / n) < 4 / std::sqrt(n));
  CHECK(std::fabs(squares / n - 1) < 4 * std::sqrt(2. / n));
}

TEST_CASE("a shuffle is a permutation and depends on the seed") {
  std::vector<int> a{1, 2, 3, 4, 5, 6, 7, 8}, b = a, c = a;
  ur::random_engine one(1), same(1), other(2);
  ur::shuffle(std::span(a), one);
  ur::shuffle(std::span(b), same);
  ur::shuffle(std::span(c), other);
  CHECK(a == b);
  CHECK(a != c);
  std::sort(a.begin(), a.end());
  CHECK(a == std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("missing is one NaN among many") {
  CHECK(ur::is_missing(ur::missing));
  CHECK(ur::is_exactly_missing(ur::missing));
  CHECK(!ur::is_exactly_missing(std::nan("")));
  CHECK(!ur::is_missing(0));
}

TEST_CASE("parallel_for visits every index once and rethrows the exception of the lowest index") {
  for (const std::size_t threads : {1, 2, 5}) {
    std::vector<std::atomic<int>> visits(100);
    ur::detail::parallel_for(100, threads, [&](std::size_t i, std::size_t worker) {
      CHECK(worker < threads);
      ++visits[i];
    });
    for (const auto& v : visits) CHECK(v == 1);
    CHECK_THROWS_WITH(ur::detail::parallel_for(50, threads,
                                               [](std::size_t i, std::size_t) {
                                                 if (i >= 3) throw std::runtime_error(std::to_string(i));
                                               }),
                      "3");
  }
}

TEST_CASE("a state goes to disk and back, bit for bit, and says what is wrong with it") {
  const auto dir = std::filesystem::temp_directory_path() / "uniroute_core_state";
  std::filesystem::remove_all(dir);
  ur::state s;
  s.set("flag", true);
  s.set("big", ~std::uint64_t{0});
  s.set("tenth", 0.1);
  s.set("name", std::string("caf\xC3\xA9 \"quoted\""));
  s.set("names", std::vector<std::string>{"a", ""});
  s.set("doubles", std::vector<double>{0.1, INFINITY, ur::missing});
  s.set("labels", std::vector<std::uint32_t>{1, 4294967295u});
  ur::state inner;
  inner.set("floats", ur::make_matrix<float>(2, 3, 0.3F));
  s.set("inner", inner);
  ur::write_state(s, dir);
  const auto back = ur::read_state(dir);
  CHECK(back.values().size() == s.values().size());
  CHECK(back.get<std::uint64_t>("big") == ~std::uint64_t{0});
  CHECK(back.get<double>("tenth") == 0.1);
  CHECK(back.get<std::string>("name") == s.get<std::string>("name"));
  CHECK(ur::is_exactly_missing(back.get<std::vector<double>>("doubles")[2]));
  CHECK(back.get<std::vector<std::uint32_t>>("labels") == s.get<std::vector<std::uint32_t>>("labels"));
  CHECK((back.part("inner").get<ur::matrix<float>>("floats") == inner.get<ur::matrix<float>>("floats")));
  CHECK_THROWS_WITH(back.get<double>("nothing"), Catch::Contains("'nothing' is missing"));
  CHECK_THROWS_WITH(back.get<double>("flag"), Catch::Contains("another type"));
  s.set("bad", std::nan(""));
  CHECK_THROWS_AS(ur::write_state(s, dir), std::domain_error);
  ur::state latin;
  latin.set("name", std::string("caf\xE9"));
  CHECK_THROWS_AS(ur::write_state(latin, dir), std::domain_error);
  CHECK(ur::read_state(dir).values().size() == back.values().size());  // the old one is whole
  CHECK_THROWS_AS(ur::read_state(dir / "nowhere"), ur::format_error);
  CHECK_THROWS_AS(ur::write_state(back, std::filesystem::temp_directory_path()), std::invalid_argument);
  // Numbers of another kind than the file says they are, which the JSON library would convert.
  const auto refused = [&](const std::string& json) {
    std::ofstream(dir / "state.json") << json;
    CHECK_THROWS_AS(ur::read_state(dir), ur::format_error);
  };
  for (const char* value : {"-1", "1.5", "1e300", "1e999", "18446744073709551616", "true"})
    refused(R"({"uniroute": 1, "values": {"n": {"type": "uint64", "value": )" + std::string(value) + "}}}");
  refused(R"({"uniroute": -1, "values": {}})");
  refused(R"({"uniroute": 1e300, "values": {}})");
  std::filesystem::remove_all(dir);
}

TEST_CASE("a table refuses shapes, repeated names, NaN, outcomes outside [0, 1] and negative costs") {
  const auto parts = [] {
    ur::routing_table_parts p;
    p.name = "t";
    p.ids = {"a", "b"};
    p.models.resize(2);
    p.models[0].name = "x";
    p.models[1].name = "y";
    p.losses = ur::make_matrix<double>(2, 2, 0.5);
    p.costs = ur::make_matrix<double>(2, 2, 1.0);
    return p;
  };
  CHECK(ur::routing_table(parts()).mean_cost("y") == 1);
  auto p = parts();
  p.losses(1, 0) = std::nan("");
  CHECK_THROWS_WITH(ur::routing_table(p), Catch::Contains("losses(1, 0) is"));
  p = parts();
  p.losses(0, 1) = 1.01;
  CHECK_THROWS_AS(ur::routing_table(p), std::domain_error);
  p = parts();
  p.costs(0, 1) = -1;
  CHECK_THROWS_AS(ur::routing_table(p), std::domain_error);
  p = parts();
  p.costs(0, 1) = INFINITY;
  CHECK_THROWS_AS(ur::routing_table(p), std::domain_error);
  p = parts();
  p.ids[1] = "a";
  CHECK_THROWS_WITH(ur::routing_table(p), Catch::Contains("id 'a' occurs twice"));
  p = parts();
  p.models[1].name = "x";
  CHECK_THROWS_WITH(ur::routing_table(p), Catch::Contains("model 'x' occurs twice"));
  p = parts();
  p.losses = ur::make_matrix<double>(1, 2, 0.5);
  CHECK_THROWS_WITH(ur::routing_table(p), Catch::Contains("losses is 1 x 2, but must be 2 x 2"));
  CHECK_THROWS_WITH(ur::as_binary(ur::routing_table(parts())), Catch::Contains("must be 0, 1 or missing"));
  CHECK_THROWS_AS(ur::routing_table(parts()).model_index("z"), std::invalid_argument);
}
