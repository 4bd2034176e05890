// The readers of files that come from elsewhere, fed with nonsense: they may throw format_error, and nothing else.
//
// In the tests: seeds written by this file, each as it is and with seeded mutations, and what was found to break a
// reader once. By libFuzzer: `tests/fuzz/run`.

#include <algorithm>
#include <data/temporary_directory.hpp>
#include <encode/tiny_model.hpp>
#include <fuzz/fuzz.hpp>
#include <initializer_list>
#include <uniroute/data/npy.hpp>
#include <uniroute/data/read_routing_table.hpp>
#include <uniroute/encode/read_transformer.hpp>
#include <uniroute/numeric/nearest.hpp>
#include <uniroute/route/save.hpp>

namespace ur = uniroute;

namespace uniroute_fuzz {

namespace {

using std::string_literals::operator""s;

/// A folder of this process, as libFuzzer may run several.
const std::filesystem::path& folder() {
  static const uniroute_tests::temporary_directory out;
  static const std::filesystem::path& path = (std::filesystem::create_directory(out.path() / "1_Pooling"), out.path());
  return path;
}

std::filesystem::path file_of(const std::string& bytes, const char* name = "input") {
  std::ofstream(folder() / name, std::ios::binary) << bytes;
  return folder() / name;
}

/// Bytes between zero bytes as files, the rest as the last one; an empty one is not there.
void files_of(const std::string& bytes, std::initializer_list<const char*> names) {
  std::size_t at = 0;
  for (const char* name : names) {
    const bool last = name == names.end()[-1];
    const std::size_t end = last ? bytes.size() : std::min(bytes.find('\0', at), bytes.size());
    std::filesystem::remove(folder() / name);
    if (end > at) file_of(bytes.substr(at, end - at), name);
    at = std::min(end + 1, bytes.size());
  }
}

/// Reads every tensor that can be read.
void read_safetensors(const std::string& bytes) {
  const ur::safetensors_file file("input", std::vector<unsigned char>(bytes.begin(), bytes.end()));
  for (const auto& [name, tensor] : file.tensors()) {
    try {
      if (tensor.shape.size() == 1) file.read_vector(name, tensor.shape[0]);
      if (tensor.shape.size() == 2) file.read_matrix(name, tensor.shape[0], tensor.shape[1]);
    } catch (const ur::format_error&) {
    }
  }
}

std::vector<std::string> safetensors_seeds() {
  return {uniroute_tests::safetensors_bytes({{"a", {2, 3}, {1, 2, 3, 4, 5, 6}}, {"b", {3}, {1, 2, 3}}}),
          uniroute_tests::safetensors_bytes({{"c", {2}, {1, 2}}}, "BF16")};
}

/// The header up to a zero byte, then the data: its length is put in front, so that changes to it are read on.
void read_safetensors_header(const std::string& bytes) {
  const std::size_t zero = std::min(bytes.find('\0'), bytes.size());
  std::string start;
  for (std::size_t i = 0; i < 8; ++i) start.push_back(static_cast<char>(zero >> (8 * i) & 0xFF));
  read_safetensors(start + bytes.substr(0, zero) + bytes.substr(std::min(zero + 1, bytes.size())));
}

std::vector<std::string> safetensors_header_seeds() {
  auto out = safetensors_seeds();
  for (auto& bytes : out) {
    const std::size_t end = bytes.find("}}") + 2;
    bytes = bytes.substr(8, end - 8) + '\0' + bytes.substr(end);
  }
  return out;
}

void read_npy(const std::string& bytes) {
  const auto path = file_of(bytes);
  try {
    ur::read_npy_vector<double>(path);
  } catch (const ur::format_error&) {
  }
  ur::detail::centroid_table table(ur::read_npy_matrix<float>(path));  // what most of them become
}

std::vector<std::string> npy_seeds() {
  ur::write_npy(folder() / "a.npy", ur::make_matrix<float>(3, 4, 0.5F));
  ur::write_npy(folder() / "b.npy", ur::make_matrix<double>(2, 1, 0.5));
  return {ur::detail::read_bytes(folder() / "a.npy"), ur::detail::read_bytes(folder() / "b.npy")};
}

/// The same with the header's length put in.
void read_npy_header(const std::string& bytes) {
  const std::size_t end = std::min({bytes.find('\n'), bytes.size(), std::size_t{65535}});
  const std::string length{static_cast<char>(end & 0xFF), static_cast<char>(end >> 8)};
  read_npy("\x93NUMPY\1\0"s + length + bytes.substr(0, end) + bytes.substr(std::min(end + 1, bytes.size())));
}

std::vector<std::string> npy_header_seeds() {
  return {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n" + std::string(24, '\1'),
          "{'descr': '<f8', 'fortran_order': True, 'shape': (1, 2), }\n" + std::string(16, '\1')};
}

/// A vocabulary, a zero byte, and a text that is read with it.
void read_vocabulary(const std::string& bytes) {
  const std::size_t zero = std::min(bytes.find('\0'), bytes.size());
  const auto tokenizer = ur::read_vocabulary(file_of(bytes.substr(0, zero)));
  const std::string text = bytes.substr(std::min(zero + 1, bytes.size()));
  for (const std::size_t most : {2U, 3U, 64U}) {
    const auto tokens = tokenizer.encode(text, most);
    bool right = tokens.size() >= 2 && tokens.size() <= most;
    for (const std::uint32_t token : tokens) right = right && token < tokenizer.size();
    if (!right) throw std::logic_error("tokens outside the vocabulary, or too many");
  }
}

std::string vocabulary_lines() {
  std::string out;
  for (const auto& entry : uniroute_tests::tiny_vocabulary) out += entry + "\n";
  return out;
}

std::vector<std::string> vocabulary_seeds() {
  return {vocabulary_lines() + '\0' + "The cats sat [MASK] caf\xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x98\x80 123"};
}

void read_tokenizer_json(const std::string& bytes) {
  ur::read_tokenizer_json(file_of(bytes)).encode("Some text, \xC3\xA9 and \xFF.");
}

std::vector<std::string> tokenizer_json_seeds() {
  std::string entries;
  std::size_t id = 0;
  for (const auto& entry : uniroute_tests::tiny_vocabulary) {
    entries += (id == 0 ? "\"" : ",\"") + entry + "\":" + std::to_string(id);
    ++id;
  }
  const std::string start = R"({"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},
    "added_tokens":[{"id":4,"content":"[MASK]","lstrip":false}],"model":{"type":"WordPiece","vocab":{)" +
                            entries + R"(}},"post_processor":)";
  return {start + R"({"type":"BertProcessing","cls":["[CLS]",2],"sep":["[SEP]",3]}})",
          start + R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},
            {"Sequence":{"id":"A"}},{"SpecialToken":{"id":"[SEP]"}}]}})"};
}

/// A model folder; what is accepted encodes a text.
void read_model(const std::string& bytes) {
  files_of(bytes, {"config.json", "tokenizer_config.json", "sentence_bert_config.json", "1_Pooling/config.json",
                   "modules.json", "vocab.txt", "model.safetensors"});
  std::vector<float> out;
  const auto encoder = ur::read_transformer(folder());
  out.resize(encoder.dimension());
  encoder.encode("The cats sat [MASK], or 123.", out);
}

std::vector<std::string> model_seeds() {
  const auto zero = std::string(1, '\0');
  const std::string weights = uniroute_tests::safetensors_bytes(uniroute_tests::tiny_tensors(), "BF16");
  return {uniroute_tests::tiny_config + zero + R"({"model_max_length": 5, "do_lower_case": true})" + zero +
              R"({"max_seq_length": 5})" + zero + R"({"pooling_mode_cls_token": true})" + zero +
              R"([{"type": "models.Transformer"}, {"type": "models.Normalize"}])" + zero + vocabulary_lines() + zero +
              weights,
          uniroute_tests::tiny_config + zero + zero + zero + zero + zero + vocabulary_lines() + zero + weights};
}

/// The files of a routing table.
void read_table(const std::string& bytes) {
  files_of(bytes, {"prompts.jsonl", "models.csv", "outcomes.csv", "costs.csv", "tokens_in.csv", "outcome_counts.csv"});
  ur::read_routing_table(folder());
}

std::vector<std::string> table_seeds() {
  const auto zero = std::string(1, '\0');
  return {"{\"id\": \"a\", \"prompt\": \"x\", \"category\": \"c\"}\n{\"id\": 2, \"prompt\": \"\xC3\xA9\"}\n" + zero +
              "model,cost,params_b,note\nm,1,,\"a \"\"b\"\"\"\nn,2.5,7,\n" + zero + "id,m,n\na,0.5,\n2,1,.25\n" + zero +
              "id,n\n2,0.5\n" + zero + zero + "id,m\na,3\n",
          "{\"id\": \"a\", \"prompt\": \"x\"}\n" + zero + "model,price_in_per_mtok,price_out_per_mtok\r\nm,1,2\r\n" +
              zero + "id,m\na,1e-3\n" + zero + zero + "id,m\na,12\n" + zero};
}

/// state.json, a zero byte and the array it may name.
void read_state(const std::string& bytes) {
  files_of(bytes, {"state.json", "array_0.npy"});
  ur::read_state(folder());
}

std::vector<std::string> state_seeds() {
  ur::state s;
  s.set("a/flag", true);
  s.set("count", std::uint64_t{3});
  s.set("scale", 0.5);
  s.set("name", std::string("x"));
  s.set("names", std::vector<std::string>{"x", "y"});
  s.set("table", ur::make_matrix<float>(2, 3, 0.5F));
  ur::write_state(s, folder() / "state");
  return {ur::detail::read_bytes(folder() / "state/state.json") + '\0' +
          ur::detail::read_bytes(folder() / "state/array_0.npy")};
}

const std::vector<target>& readers() {
  static const std::vector<target> out{{"safetensors", read_safetensors, safetensors_seeds},
                                       {"safetensors_header", read_safetensors_header, safetensors_header_seeds},
                                       {"npy", read_npy, npy_seeds},
                                       {"npy_header", read_npy_header, npy_header_seeds},
                                       {"vocabulary", read_vocabulary, vocabulary_seeds},
                                       {"tokenizer_json", read_tokenizer_json, tokenizer_json_seeds},
                                       {"model", read_model, model_seeds},
                                       {"table", read_table, table_seeds},
                                       {"state", read_state, state_seeds}};
  return out;
}

}  // namespace

#ifdef UNIROUTE_LIBFUZZER

const std::vector<target>& targets() { return readers(); }

#else

TEST_CASE("readers accept the seeds, and refuse their mutations by format_error or not at all") {
  check_targets(readers(), 300);
}

#endif

}  // namespace uniroute_fuzz
