// Encoders and their readers at the borders of what they accept, and places that errors name to the byte.
#include <catch2/catch.hpp>
#include <encode/tiny_model.hpp>
#include <nlohmann/json.hpp>
#include <uniroute/encode/encode.hpp>
#include <uniroute/encode/read_tokenizer.hpp>
#include <uniroute/encode/safetensors.hpp>

namespace ur = uniroute;
using namespace uniroute_tests;
using tokens = std::vector<std::uint32_t>;

namespace {

ur::safetensors_file parse(const std::string& bytes) { return {"file", {bytes.begin(), bytes.end()}}; }

std::string with_header(const std::string& header, std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) out.push_back(static_cast<char>(header.size() >> (8 * i) & 0xFF));
  return out + header + std::string(size, '\0');
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape, std::size_t begin,
                  std::size_t end) {
  return "\"" + name + "\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":[" +
         std::to_string(begin) + "," + std::to_string(end) + "]}";
}

}  // namespace

TEST_CASE("safetensors: overlaps and gaps are named by their byte in the file") {
  const std::string overlap =
      "{" + entry("a", "\"F32\"", "[2]", 0, 8) + "," + entry("b", "\"F32\"", "[2]", 4, 12) + "}";
  CHECK_THROWS_WITH(parse(with_header(overlap, 12)),
                    "file: byte " + std::to_string(8 + overlap.size() + 4) + ": two tensors overlap, but must not");
  const std::string gap = "{" + entry("a", "\"F32\"", "[2]", 0, 8) + "," + entry("b", "\"F32\"", "[2]", 12, 20) + "}";
  CHECK_THROWS_WITH(parse(with_header(gap, 20)),
                    "file: byte " + std::to_string(8 + gap.size() + 8) + ": 4 bytes belong to no tensor");
  const std::string end = "{" + entry("a", "\"F32\"", "[2]", 0, 8) + "}";
  CHECK_THROWS_WITH(parse(with_header(end, 11)),
                    "file: byte " + std::to_string(8 + end.size() + 8) + ": 3 bytes belong to no tensor");
  // A tensor in the middle whose bytes are not as many as its shape.
  const std::string middle = "{" + entry("a", "\"F32\"", "[2]", 0, 8) + "," + entry("b", "\"F32\"", "[3]", 8, 16) + "}";
  CHECK_THROWS_WITH(parse(with_header(middle, 16)), "file: tensor 'b' has 8 bytes, but its shape needs 12");
}

TEST_CASE("safetensors: every type of the format has its size, and what is no type is refused") {
  for (const auto& [type, count, bytes] :
       std::vector<std::tuple<std::string, std::string, std::size_t>>{{"F64", "[3]", 24},
                                                                      {"I64", "[3]", 24},
                                                                      {"U64", "[1]", 8},
                                                                      {"C64", "[1]", 8},
                                                                      {"F32", "[3]", 12},
                                                                      {"I32", "[1]", 4},
                                                                      {"U32", "[1]", 4},
                                                                      {"F16", "[3]", 6},
                                                                      {"BF16", "[1]", 2},
                                                                      {"I16", "[1]", 2},
                                                                      {"U16", "[1]", 2},
                                                                      {"I8", "[3]", 3},
                                                                      {"U8", "[1]", 1},
                                                                      {"BOOL", "[1]", 1},
                                                                      {"F8_E4M3", "[1]", 1},
                                                                      {"F4", "[4]", 2},
                                                                      {"F32", "[]", 4},
                                                                      {"F6_E2M3", "[4]", 3},
                                                                      {"F6_E3M2", "[8]", 6}}) {
    INFO(type);
    const auto file = parse(with_header("{" + entry("a", "\"" + type + "\"", count, 0, bytes) + "}", bytes));
    CHECK(file.tensor("a").bytes.size() == bytes);
  }
  CHECK_THROWS_WITH(parse(with_header("{" + entry("a", "\"F6_E2M3\"", "[3]", 0, 3) + "}", 3)),
                    "file: tensor 'a' has 3 values of 6 bits, but they must fill whole bytes");
  CHECK_THROWS_WITH(parse(with_header("{" + entry("a", "7", "[1]", 0, 4) + "}", 4)),
                    "file: tensor 'a': dtype must be a text");
  CHECK_THROWS_WITH(parse(with_header("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4)),
                    "file: tensor 'a': data_offsets must be two whole numbers");
  CHECK_THROWS_WITH(parse(with_header("{\"__metadata__\":{\"format\":1}}", 0)),
                    "file: __metadata__ must be an object of texts");
  const temporary_directory folder;
  CHECK_THROWS_WITH(ur::safetensors_file("/nowhere/at/all"),
                    "/nowhere/at/all: cannot be opened, but must be a readable file");
  CHECK_THROWS_WITH(ur::safetensors_file("/dev/null"), "/dev/null: cannot be mapped, but must be a readable file");
  CHECK_THROWS_WITH(ur::safetensors_file(std::filesystem::temp_directory_path()),
                    Catch::Contains("cannot be mapped, but must be a readable file"));
  CHECK_THROWS_WITH(ur::safetensors_file(folder.write("empty", "")), Catch::Contains("has 0 bytes, but must have 8"));
}

TEST_CASE("a vocabulary's borders: the longest word, empty entries, bytes, prefixes that are words") {
  const std::vector<std::string> words{"[UNK]", "[CLS]", "[SEP]", "", "a", "##b", "##", "#", "b"};
  CHECK_NOTHROW(ur::wordpiece_tokenizer(words, {.longest_word = 10000}));
  CHECK_THROWS_WITH(ur::wordpiece_tokenizer(words, {.longest_word = 10001}),
                    "wordpiece_tokenizer: longest_word is 10001, but must be 1 to 10000");
  auto broken = words;
  broken[4] = "a\xFF";
  CHECK_THROWS_WITH(ur::wordpiece_tokenizer(broken),
                    "wordpiece_tokenizer: entry 4 of the vocabulary has byte 1 that is not UTF-8, but must be UTF-8");
  CHECK_THROWS_AS(ur::wordpiece_tokenizer{}.save(), ur::not_fitted);
  const ur::wordpiece_tokenizer tokenizer(words);
  CHECK(tokenizer.find("##b") == 5);
  CHECK(tokenizer.find("##") == 6);  // as long as the prefix: a word, not the inside of one
  CHECK_THROWS_AS(tokenizer.find(""), std::invalid_argument);
  CHECK(tokenizer.encode("ab b a") == tokens{1, 4, 5, 8, 4, 2});
  // Without a prefix nothing continues a word.
  const ur::wordpiece_tokenizer plain(words, {.continuation = ""});
  CHECK(plain.find("##b") == 5);
  CHECK(plain.encode("ab") == tokens{1, 0, 2});
  // What is there stays, however many tokens may be added.
  tokens out{7, 7};
  tokenizer.append_inner("a b", std::numeric_limits<std::size_t>::max(), out);
  CHECK(out == tokens{7, 7, 4, 8});
  tokenizer.append_inner("a b", 1, out);
  CHECK(out == tokens{7, 7, 4, 8, 4});
  // The unknown token is an option that a state carries.
  auto other = words;
  other[0] = "?";
  const ur::wordpiece_tokenizer question(other, {.unknown = "?"});
  ur::wordpiece_tokenizer copy;
  copy.load(question.save());
  CHECK(copy.encode("zzz") == tokens{1, 0, 2});
}

TEST_CASE("readers of tokenizers: white space at the end of lines, the first and the last token by name") {
  const temporary_directory folder;
  const auto read = ur::read_vocabulary(folder.write("vocab.txt", "[UNK] \n[CLS]\t\n[SEP]\r\nthe \t\r\ncat"));
  CHECK(read.vocabulary() == std::vector<std::string>{"[UNK]", "[CLS]", "[SEP]", "the", "cat"});
  CHECK_THROWS_WITH(ur::read_vocabulary(folder.write("vocab.txt", "[UNK]\n[CLS]")),
                    Catch::EndsWith("vocab.txt: wordpiece_tokenizer: the vocabulary has no '[SEP]', but must have it"));
  nlohmann::json json;
  json["normalizer"] = {{"type", "BertNormalizer"}};
  json["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  json["post_processor"] = {{"type", "BertProcessing"}, {"cls", {"<s>", 1}}, {"sep", {"</s>", 2}}};
  json["model"] = {{"type", "WordPiece"}, {"vocab", {{"[UNK]", 0}, {"<s>", 1}, {"</s>", 2}, {"the", 3}}}};
  CHECK(ur::read_tokenizer_json(folder.write("tokenizer.json", json.dump())).encode("the") == tokens{1, 3, 2});
}

TEST_CASE("a table without texts has nothing to read unless it has no prompts either") {
  ur::hashed_tfidf encoder{{.dimension = 4, .buckets = 16}};
  encoder.fit(std::vector<std::string>{"one", "two"});
  ur::routing_table_parts parts;
  parts.name = "bare";
  parts.models = {{.name = "a"}};
  parts.losses = ur::make_matrix<double>(0, 1);
  parts.costs = ur::make_matrix<double>(0, 1);
  CHECK(ur::rows(ur::embed(encoder, ur::routing_table(parts))) == 0);
  parts.ids = {"x"};
  parts.losses = ur::make_matrix<double>(1, 1, .5);
  parts.costs = ur::make_matrix<double>(1, 1, .5);
  CHECK_THROWS_WITH(ur::embed(encoder, ur::routing_table(parts)),
                    "embed: table 'bare' has no prompt texts, but an encoder must have them");
}

TEST_CASE("states of encoders at their borders: as many axes as dimensions, one prompt, 2^32 buckets") {
  ur::hashed_tfidf one{{.dimension = 3, .buckets = 16}};
  one.fit(std::vector<std::string>{"one two"});
  ur::hashed_tfidf read;
  read.load(one.save());
  CHECK((read.encode(std::vector<std::string>{"one"}) == one.encode(std::vector<std::string>{"one"})));
  ur::projected<ur::hashed_tfidf> whole{ur::hashed_tfidf{{.dimension = 3, .buckets = 16}}, {.dimension = 3}};
  CHECK_THROWS_AS(whole.save(), ur::not_fitted);
  whole.fit(std::vector<std::string>{"one", "two", "three", "one two", "two three", "four"});
  REQUIRE(whole.dimension() == 3);
  ur::projected<ur::hashed_tfidf> again;
  again.load(whole.save());
  CHECK(again.dimension() == 3);
  ur::lsa words{{.dimension = 2, .least_prompts = 1, .longest_ngram = 1, .buckets = 1024}};
  words.fit(std::vector<std::string>{"one", "two", "three", "one two", "two three", "four"});
  // As many buckets as hash values: what is kept lies below them all.
  auto most = words.save();
  most.set("buckets", std::uint64_t{1} << 32);
  ur::lsa loaded;
  CHECK_NOTHROW(loaded.load(most));
  CHECK(loaded.dimension() == words.dimension());
  auto more = words.save();
  more.set("buckets", (std::uint64_t{1} << 32) + 1);
  CHECK_THROWS_AS(loaded.load(more), ur::format_error);
}
