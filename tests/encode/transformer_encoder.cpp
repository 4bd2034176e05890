#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <encode/tiny_model.hpp>
#include <support/allocation_counter.hpp>
#include <support/skip.hpp>
#include <uniroute/data/read_routing_table.hpp>
#include <uniroute/encode/read_transformer.hpp>

namespace ur = uniroute;
using namespace uniroute_tests;

namespace {

const std::vector<std::string> prompts{"", "The cats sat.", "unable", "cat cat cat cat cat cat", "a", "caf, the 1"};

// A float64 forward pass in NumPy 2.4 with SciPy's erf, over the same weights.
const std::vector<std::vector<double>> means{
    {0.03024498, 0.04123463, 0.003924768, 0.7987774, -0.2919609, 0.2978407, -0.1601172, 0.3996704},
    {0.02491395, 0.04201965, 0.004480432, 0.7984758, -0.2921422, 0.3016373, -0.1640908, 0.3959444},
    {0.03811276, 0.04251418, 0.01173538, 0.7814204, -0.2998391, 0.2997066, -0.1737511, 0.4196039}};
const std::vector<double> first_state{0.006294745, 0.04813562, -0.01000348, 0.9593345,
                                      -0.328125,   0.359425,   -0.1744912,  0.4154101};

double largest_difference(const ur::embedding_matrix& a, const ur::embedding_matrix& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::fabs(static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i])));
  return largest;
}

}  // namespace

TEST_CASE("a tiny transformer gives the embeddings of an independent forward pass") {
  const temporary_directory folder;
  write_tiny_model(folder.path());
  const auto encoder = ur::read_transformer(folder.path());
  CHECK(encoder.dimension() == 8);
  CHECK(encoder.settings().most_tokens == 6);
  const auto x = encoder.encode(prompts);
  for (std::size_t i = 0; i < means.size(); ++i) {
    for (std::size_t j = 0; j < 8; ++j) CHECK(static_cast<double>(x(i, j)) == Approx(means[i][j]).margin(1e-6));
  }
  write_file(folder.path() / "1_Pooling/config.json",
             R"({"pooling_mode_mean_tokens": false, "pooling_mode_cls_token": true})");
  write_file(folder.path() / "modules.json", R"([{"type": "sentence_transformers.models.Transformer"}])");
  const auto raw = ur::read_transformer(folder.path()).encode(prompts);
  for (std::size_t j = 0; j < 8; ++j) CHECK(static_cast<double>(raw(1, j)) == Approx(first_state[j]).margin(2e-6));
}

TEST_CASE("the transformer's embeddings do not depend on the batch, and not by a bit on threads") {
  const temporary_directory folder;
  write_tiny_model(folder.path(), "BF16");
  std::vector<std::string> many;
  for (std::size_t i = 0; i < 300; ++i) many.push_back(prompts[i * 7 % prompts.size()]);
  std::size_t done = 0, calls = 0;
  const auto one = ur::read_transformer(folder.path(), {.on_prompts = [&](std::size_t d, std::size_t all) {
                                          CHECK(all == 300);
                                          done = d;
                                          ++calls;
                                        }});
  const auto x = one.encode(many);
  CHECK(done == 300);
  CHECK(calls > 1);
  CHECK((ur::read_transformer(folder.path(), {.threads = 3}).encode(many) == x));
  std::vector<float> alone(8);
  for (std::size_t i = 0; i < 20; ++i) {
    one.encode(many[i], std::span<float>(alone));
    for (std::size_t j = 0; j < 8; ++j) CHECK(std::fabs(alone[j] - x(i, j)) < 1e-6F);
  }
  CHECK(ur::rows(one.encode(std::span<const std::string>{})) == 0);
}

TEST_CASE("a prompt as long as one that was seen is encoded without allocating") {
  const temporary_directory folder;
  write_tiny_model(folder.path());
  const auto encoder = ur::read_transformer(folder.path());
  std::vector<float> out(8);
  encoder.encode("the cats sat", std::span<float>(out));
  const allocation_counter counter;
  encoder.encode("unable cats", std::span<float>(out));
  CHECK(counter.count() == 0);
}

TEST_CASE("a saved transformer needs no files and has the same bits; a wrong state changes nothing") {
  ur::transformer_encoder copy;
  CHECK_THROWS_AS(copy.encode(prompts), ur::not_fitted);
  ur::embedding_matrix x;
  ur::state saved;
  {
    const temporary_directory folder;
    write_tiny_model(folder.path());
    const auto encoder = ur::read_transformer(folder.path());
    x = encoder.encode(prompts);
    saved = encoder.save();
  }
  copy.load(saved);
  CHECK((copy.encode(prompts) == x));
  for (const char* name : {"positions", "scale", "layer_1/narrow", "layer_0/attend"}) {
    auto broken = saved;
    broken.set(name, ur::make_matrix<float>(3, 3, 0.0F));
    CHECK_THROWS_AS(copy.load(broken), ur::format_error);
  }
  auto broken = saved;
  broken.set("heads", std::uint64_t{3});
  CHECK_THROWS_AS(copy.load(broken), ur::format_error);
  broken = saved;
  broken.set("layers", std::uint64_t{1} << 60);
  CHECK_THROWS_AS(copy.load(broken), ur::format_error);
  CHECK((copy.encode(prompts) == x));
}

TEST_CASE("model folders that are not what they must be are refused, with the file") {
  const temporary_directory folder;
  const auto refused = [&](const char* file, const std::string& bytes, const char* what) {
    write_tiny_model(folder.path());
    write_file(folder.path() / file, bytes);
    CHECK_THROWS_WITH(ur::read_transformer(folder.path()), Catch::Contains(what));
    CHECK_THROWS_AS(ur::read_transformer(folder.path()), ur::format_error);
    std::filesystem::remove(folder.path() / file);
  };
  const auto with = [](const std::string& from, const std::string& to) {
    std::string config = tiny_config;
    config.replace(config.find(from), from.size(), to);
    return config;
  };
  refused("config.json", "{", "config.json: is not valid JSON");
  refused("config.json", with("\"bert\"", "\"llama\""), "model_type is 'llama', but must be bert");
  refused("config.json", with("\"gelu\"", "\"swish\""), "hidden_act is 'swish', but must be gelu");
  refused("config.json", with("\"num_attention_heads\": 2", "\"num_attention_heads\": 3"), "multiple of the 3 heads");
  refused("config.json", with("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"), "encoder.layer.2");
  refused("config.json", with("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 2000"), "at most 1000");
  refused("config.json", with("\"hidden_size\": 8", "\"hidden_size\": 16"), "is 30 x 8, but must be 30 x 16");
  refused("config.json", with("\"vocab_size\": 30", "\"vocab_size\": 29"), "is 30 x 8, but must be 29 x 8");
  refused("config.json", with("\"vocab_size\": 30, ", ""), "'vocab_size' is missing");
  refused("vocab.txt", "[UNK]\n[CLS]\n", "has no '[SEP]'");
  std::string longer;
  for (const auto& entry : tiny_vocabulary) longer += entry + "\n";
  refused("vocab.txt", longer + "more\n", "the vocabulary has 31 entries, but the table of words has 30");
  refused("model.safetensors", "x", "model.safetensors: has 1 bytes");
  refused("1_Pooling/config.json", R"({"pooling_mode_max_tokens": true})", "the pooling is");
  refused("sentence_bert_config.json", R"({"max_seq_length": 7})", "max_seq_length is 7, but must be 2 to 6");
  refused("modules.json", R"([{"type": "sentence_transformers.models.Dense"}])",
          "'sentence_transformers.models.Dense'");
  CHECK_THROWS_AS(ur::read_transformer(folder.path() / "nothing"), ur::format_error);

  // A wide model of 18 MB without layers: no room of 3 H² floats is made for them.
  constexpr std::size_t wide = std::size_t{1} << 20;
  write_tiny_model(folder.path());
  write_file(folder.path() / "vocab.txt", "[UNK]\n[CLS]\n[SEP]\n");
  std::string config = with("\"hidden_size\": 8", "\"hidden_size\": 1048576");
  for (const auto& [from, to] : {std::pair{"\"vocab_size\": 30", "\"vocab_size\": 3"},
                                 {"\"max_position_embeddings\": 6", "\"max_position_embeddings\": 2"}})
    config.replace(config.find(from), std::string(from).size(), to);
  write_file(folder.path() / "config.json", config);
  const auto zeros = [](std::string name, std::vector<std::size_t> shape, std::size_t size) {
    return uniroute_tests::named_tensor{std::move(name), std::move(shape), std::vector<float>(size)};
  };
  write_file(folder.path() / "model.safetensors",
             safetensors_bytes(
                 {zeros("embeddings.word_embeddings.weight", {3, wide}, 3 * wide),
                  zeros("embeddings.position_embeddings.weight", {2, wide}, 2 * wide),
                  zeros("embeddings.token_type_embeddings.weight", {2, wide}, 2 * wide),
                  zeros("embeddings.LayerNorm.weight", {wide}, wide), zeros("embeddings.LayerNorm.bias", {wide}, wide)},
                 "BF16"));
  CHECK_THROWS_WITH(ur::read_transformer(folder.path()), Catch::Contains("query.weight' is missing"));
}

TEST_CASE("encode_tokens refuses tokens outside the vocabulary and prompts that are too long") {
  const temporary_directory folder;
  write_tiny_model(folder.path());
  const auto encoder = ur::read_transformer(folder.path());
  using tokens = std::vector<std::vector<std::uint32_t>>;
  CHECK_THROWS_WITH(encoder.encode_tokens(tokens{{2, 3}, {2, 30, 3}}), Catch::Contains("prompt 1 has token 30"));
  CHECK_THROWS_WITH(encoder.encode_tokens(tokens{{}}), Catch::Contains("prompt 0 has 0 tokens"));
  CHECK_THROWS_AS(encoder.encode_tokens(tokens{{2, 2, 2, 2, 2, 2, 2}}), std::invalid_argument);
}

// The table's embeddings are from another runtime.
TEST_CASE("MiniLM gives the embeddings of the tables to 1e-5", "[outside]") {
  const char* cache = std::getenv("UNIROUTE_CACHE_DIR");
  const char* home = std::getenv("HOME");
  const auto model = (cache != nullptr ? std::filesystem::path(cache)
                                       : std::filesystem::path(home != nullptr ? home : "/") / ".cache/uniroute") /
                     "all-MiniLM-L6-v2";
  const auto data = std::filesystem::path(UNIROUTE_DATA_DIR) / "zeroeval";
  if (!std::filesystem::exists(model) || !std::filesystem::exists(data)) {
    return uniroute_tests::skip(
        "no all-MiniLM-L6-v2 in the cache (cmake/fetch_encoder.sh), or no table zeroeval under UNIROUTE_DATA_DIR");
  }
  const auto table = ur::read_routing_table(data);
  std::vector<std::string> some;
  auto theirs = ur::make_matrix<float>(8, 384);
  for (std::size_t i = 0; i < 8; ++i) {
    const std::size_t at = i * table.size() / 8;
    some.push_back(table.prompts()[at]);
    std::copy_n(ur::row(table.embeddings(), at).begin(), 384, ur::row(theirs, i).begin());
  }
  CHECK(largest_difference(ur::read_transformer(model).encode(some), theirs) < 1e-5);
}
