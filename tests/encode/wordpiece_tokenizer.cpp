#include <catch2/catch.hpp>
#include <cstdlib>
#include <data/temporary_directory.hpp>
#include <encode/tiny_model.hpp>
#include <nlohmann/json.hpp>
#include <support/allocation_counter.hpp>
#include <support/skip.hpp>
#include <uniroute/encode/read_tokenizer.hpp>

namespace ur = uniroute;
using namespace uniroute_tests;
using tokens = std::vector<std::uint32_t>;

namespace {

// What PyPI tokenizers 0.23.3 gives for this vocabulary (BertNormalizer, BertPreTokenizer, WordPiece, [CLS] $A [SEP]).
const std::vector<std::pair<std::string, tokens>> expected{
    {"", {2, 3}},
    {"The cats sat.", {2, 5, 6, 8, 7, 18, 3}},
    {"UNAFFABLE, unable?", {2, 10, 11, 12, 19, 10, 12, 1, 3}},
    {"cat\xE4\xB8\xAD\xE6\x96\x87"
     "cat",
     {2, 6, 20, 21, 6, 3}},
    {"Caf\xC3\xA9 the\xCC\x81 \xC4\xB0k", {2, 1, 5, 25, 26, 3}},
    {"12 123 1234", {2, 22, 23, 22, 23, 24, 1, 3}},
    {std::string("the\0cat\tsat\xE2\x80\x8B", 14), {2, 1, 7, 3}},
    {"a[MASK]cat[SEP] [mask]", {2, 1, 4, 6, 3, 1, 1, 1, 3}},
    {"cat" + std::string(98, 's'), {2, 1, 3}},
    {"\xED\x95\x9C", {2, 27, 28, 29, 3}},
};

std::filesystem::path cached_model() {
  const char* cache = std::getenv("UNIROUTE_CACHE_DIR");
  const char* home = std::getenv("HOME");
  const auto folder = cache != nullptr ? std::filesystem::path(cache)
                                       : std::filesystem::path(home != nullptr ? home : "/nowhere") / ".cache/uniroute";
  return folder / "all-MiniLM-L6-v2";
}

}  // namespace

TEST_CASE("the tokenizer gives the tokens of the reference for a small vocabulary") {
  const ur::wordpiece_tokenizer tokenizer(tiny_vocabulary);
  for (const auto& [text, ids] : expected) CHECK(tokenizer.encode(text) == ids);
  CHECK(tokenizer.encode("cat" + std::string(97, 's')).size() == 100);
}

TEST_CASE("the tokenizer cuts at the end and keeps the last token") {
  const ur::wordpiece_tokenizer tokenizer(tiny_vocabulary);
  CHECK(tokenizer.encode("The cats sat.", 5) == tokens{2, 5, 6, 8, 3});
  CHECK(tokenizer.encode("The cats sat.", 4) == tokens{2, 5, 6, 3});
  CHECK(tokenizer.encode("the cat zzz", 5) == tokens{2, 5, 6, 1, 3});
  CHECK(tokenizer.encode("The cats sat.", 2) == tokens{2, 3});
  CHECK_THROWS_AS(tokenizer.encode("x", 1), std::invalid_argument);
  CHECK_THROWS_AS(ur::wordpiece_tokenizer{}.encode("x"), ur::not_fitted);
}

TEST_CASE("bytes that are no UTF-8 read as the replacement character, which cleaning takes out") {
  // Python: bytes.decode(errors="replace"), then the reference.
  const ur::wordpiece_tokenizer tokenizer(tiny_vocabulary);
  for (const char* text : {"the c\xFF"
                           "at",
                           "the c\xC3"
                           "at",
                           "the c\xE2\x82"
                           "at",
                           "the c\xED\xA0\x80"
                           "at",
                           "the cat\xF0\x9F"})
    CHECK(tokenizer.encode(text) == tokens{2, 5, 6, 3});
  // Kept, they make the word unknown; one character for each longest start of a character.
  const ur::wordpiece_tokenizer keeps(tiny_vocabulary, {.clean_text = false, .longest_word = 4});
  CHECK(keeps.encode("the c\xFF"
                     "at") == tokens{2, 5, 1, 3});
  using ur::detail::decode_utf8;
  CHECK(decode_utf8("\xE2\x82x", 0).size == 2);
  CHECK(decode_utf8("\xE0\x80x", 0).size == 1);
  CHECK(decode_utf8("\xF4\x90\x80\x80", 0).size == 1);
  CHECK(decode_utf8("\xF0\x9F\x98\x80", 0).code_point == 0x1F600);
}

TEST_CASE("options of the tokenizer: case, accents, ideographs, the longest word") {
  const ur::wordpiece_tokenizer cased(tiny_vocabulary, {.strip_accents = false, .lower_case = false});
  CHECK(cased.encode("Cat cat") == tokens{2, 1, 6, 3});
  const ur::wordpiece_tokenizer together(tiny_vocabulary, {.separate_ideographs = false});
  CHECK(together.encode("cat\xE4\xB8\xAD") == tokens{2, 1, 3});
  const ur::wordpiece_tokenizer narrow(tiny_vocabulary, {.longest_word = 3});
  CHECK(narrow.encode("cat cats") == tokens{2, 6, 1, 3});
}

TEST_CASE("a loaded tokenizer gives the same tokens, and a wrong state is refused") {
  const ur::wordpiece_tokenizer tokenizer(tiny_vocabulary, {.longest_word = 50});
  ur::wordpiece_tokenizer copy;
  copy.load(tokenizer.save());
  for (const auto& item : expected) CHECK(copy.encode(item.first) == tokenizer.encode(item.first));
  auto broken = tokenizer.save();
  broken.set("vocabulary", std::vector<std::string>{"a", "a"});
  CHECK_THROWS_AS(copy.load(broken), ur::format_error);
  CHECK(copy.size() == tiny_vocabulary.size());
}

TEST_CASE("a text as long as one that was seen is read without allocating") {
  const ur::wordpiece_tokenizer tokenizer(tiny_vocabulary);
  const std::string text = "The cats sat unaffable, unable 123 " + std::string(200, 'x');
  tokens out;
  tokenizer.append(text, 512, out);
  out.clear();
  const allocation_counter counter;
  tokenizer.append(text, 512, out);
  CHECK(counter.count() == 0);
}

TEST_CASE("vocabularies that are no vocabularies are refused, with the line") {
  const temporary_directory folder;
  const auto refused = [&](const std::string& bytes, const char* what) {
    CHECK_THROWS_WITH(ur::read_vocabulary(folder.write("vocab.txt", bytes)), Catch::Contains(what));
    CHECK_THROWS_AS(ur::read_vocabulary(folder.write("vocab.txt", bytes)), ur::format_error);
  };
  refused("", "has no '[UNK]'");

  refused("[UNK]\n[CLS]\n[SEP]\nab\xFF\n", "vocab.txt:4:3: is not UTF-8");
  CHECK(ur::read_vocabulary(folder.write("vocab.txt", "[UNK]\r\n[CLS]\r\n[SEP]")).size() == 3);
  CHECK_THROWS_AS(ur::wordpiece_tokenizer({"[UNK]", "[CLS]", "[SEP]"}, {.longest_word = 0}), std::invalid_argument);
}

TEST_CASE("tokenizer.json is read, and refused where it says what this tokenizer cannot do") {
  const temporary_directory folder;
  nlohmann::json good;
  good["normalizer"] = {{"type", "BertNormalizer"}, {"strip_accents", nullptr}};
  good["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  good["post_processor"] = {{"type", "BertProcessing"}, {"cls", {"[CLS]", 2}}, {"sep", {"[SEP]", 3}}};
  good["model"] = {{"type", "WordPiece"}, {"vocab", nlohmann::json::object()}};
  for (std::size_t i = 0; i < tiny_vocabulary.size(); ++i) good["model"]["vocab"][tiny_vocabulary[i]] = i;
  for (std::size_t i = 0; i < 5; ++i) good["added_tokens"].push_back({{"id", i}, {"content", tiny_vocabulary[i]}});
  const auto read = [&](const nlohmann::json& json) {
    return ur::read_tokenizer_json(folder.write("tokenizer.json", json.dump()));
  };
  const auto tokenizer = read(good);
  for (const auto& [text, ids] : expected) CHECK(tokenizer.encode(text) == ids);
  const auto refused = [&](const char* pointer, const nlohmann::json& value, const char* what) {
    auto bad = good;
    bad[nlohmann::json::json_pointer(pointer)] = value;
    CHECK_THROWS_WITH(read(bad), Catch::Contains("tokenizer.json: ") && Catch::Contains(what));
  };
  refused("/model/type", "BPE", "the model is 'BPE', but must be WordPiece");
  refused("/normalizer/type", "NFKC", "normalizer must be BertNormalizer");
  refused("/pre_tokenizer/type", "ByteLevel", "pre_tokenizer must be BertPreTokenizer");
  refused("/model/vocab/cat", 7, "that no other entry has");
  refused("/model/vocab/cat", -1, "must be a number below 30");
  refused("/model/vocab", 3, "vocab must be an object");
  refused("/added_tokens/0/lstrip", true, "has lstrip");
  refused("/added_tokens/0/id", 9, "the vocabulary has another entry there");
  refused("/added_tokens/0/id", 1000000000000, "the vocabulary has another entry there");
  refused("/model/max_input_chars_per_word", "x", "must be a whole number");
  refused("/model/max_input_chars_per_word", 0, "longest_word is 0, but must be 1 to 10000");
  refused("/model/max_input_chars_per_word", 10001, "longest_word is 10001");
  refused("/post_processor/type", "RobertaProcessing", "post_processor is 'RobertaProcessing'");
  CHECK_THROWS_AS(ur::read_tokenizer_json(folder.write("tokenizer.json", "{\"model\": ")), ur::format_error);
  // What is read is copied, which the JSON library does by recursion.
  std::string deep = good.dump();
  deep.insert(deep.find("\"added_tokens\":[") + 16, std::string(200000, '[') + std::string(200000, ']') + ",");
  CHECK_THROWS_WITH(ur::read_tokenizer_json(folder.write("tokenizer.json", deep)),
                    Catch::Contains("nested deeper than 64"));
  CHECK_THROWS_WITH(ur::read_tokenizer(folder.path() / "nothing"),
                    Catch::Contains("no tokenizer.json and no vocab.txt"));
}

// tricky_tokens.jsonl: texts with the tokens that PyPI tokenizers 0.23.3 gives for MiniLM's tokenizer.json.
TEST_CASE("MiniLM's tokenizer gives the tokens of the reference for code, CJK, emoji, accents and control characters",
          "[outside]") {
  if (!std::filesystem::exists(cached_model() / "tokenizer.json")) {
    return uniroute_tests::skip("no all-MiniLM-L6-v2 in the cache (cmake/fetch_encoder.sh)");
  }
  const auto tokenizer = ur::read_tokenizer(cached_model());
  std::ifstream in(std::filesystem::path(__FILE__).parent_path() / "tricky_tokens.jsonl");
  std::size_t read = 0;
  for (std::string line; std::getline(in, line); ++read) {
    const auto json = nlohmann::json::parse(line);
    CHECK(tokenizer.encode(json["text"].get<std::string>()) == json["tokens"].get<tokens>());
  }
  CHECK(read > 50);
}
