// Faults that others have had, and that we had too: files of every age and encoding.

#include <catch2/catch.hpp>
#include <cmath>
#include <encode/tiny_model.hpp>
#include <uniroute/data/detail/json_file.hpp>
#include <uniroute/encode/read_transformer.hpp>
#include <uniroute/files.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;
using uniroute_tests::temporary_directory;
using uniroute_tests::write_file;

namespace {

/// Writes a table of two prompts and two LLMs; a file that is given replaces one of them.
void write_table(const std::filesystem::path& dir, const std::string& name = "", const std::string& content = "") {
  write_file(dir / "prompts.jsonl", "{\"id\":\"a\",\"prompt\":\"one\"}\n{\"id\":\"b\",\"prompt\":\"two\"}\n");
  write_file(dir / "models.csv", "model,cost\nx,1\ny,2\n");
  write_file(dir / "outcomes.csv", "id,x,y\na,1,0\nb,.5,1\n");
  if (!name.empty()) write_file(dir / name, content);
}

void refused(const std::string& name, const std::string& content, const std::string& what) {
  const temporary_directory dir;
  write_table(dir.path() / "t", name, content);
  CAPTURE(name, content);
  CHECK_THROWS_WITH(ur::read_routing_table(dir.path() / "t"), Catch::Contains(what));
}

}  // namespace

TEST_CASE("text that is no UTF-8 is refused on reading, with its place") {
  refused("models.csv", "model,cost\nx,1\ncaf\xE9,2\n", "models.csv:3:4: is not UTF-8, but must be");
  refused("outcomes.csv", "id,x,y\na,1,0\nb\xFF,.5,1\n", "outcomes.csv:3:2: is not UTF-8");
  // The name of a folder cannot be refused; it is read with the replacement character.
  const temporary_directory dir;
  write_table(dir.path() / "caf\xE9");
  CHECK(ur::read_routing_table(dir.path() / "caf\xE9").name() == "caf\xEF\xBF\xBD");
}

TEST_CASE("messages about tables say what to do") {
  refused("outcomes.csv", "id,x,y\na,NA,0\nb,.5,1\n",
          "outcomes.csv:2:3: outcome is 'NA', but must be a finite number (what is missing is an empty cell)");
  refused("outcomes.csv", "id;x;y\na;1;0\nb;.5;1\n",
          "outcomes.csv:1:3: cells are separated by semicolons, but must be by commas");
  refused("models.csv", "model,price_in,price_out\nx,1,2\ny,2,3\n",
          "column 'price_in' is not read: prices are called price_in_per_mtok and price_out_per_mtok");
  refused("models.csv", "model\nx\ny\n", "no model has a cost: costs.csv, a column 'cost' or prices must give it");
  refused("prompts.jsonl", "{\"id\":\"a\",\"text\":\"one\"}\n{\"id\":\"b\",\"text\":\"two\"}\n",
          "prompts.jsonl:1:1: has 'text' and no 'prompt', but a prompt's text must be called 'prompt'");
  const temporary_directory dir;
  write_table(dir.path() / "t", "models.csv", "model,price_in_per_mtok,price_out_per_mtok\nx,1,1\ny,2,2\n");
  write_file(dir.path() / "t" / "tokens_out.csv", "id,x\na,10\nb,20\n");
  const auto notes = ur::read_routing_table(dir.path() / "t").notes();
  CHECK(std::find(notes.begin(), notes.end(), "tokens_out.csv has no column for y.") != notes.end());
}

TEST_CASE("tables without costs are read with parameters or 1 for them, and say so") {
  using source = ur::read_options::cost_source;
  const temporary_directory dir;
  write_table(dir.path() / "t", "models.csv", "model,params_b\nx,7\ny,70.5\n");
  CHECK_THROWS_AS(ur::read_routing_table(dir.path() / "t"), ur::format_error);
  const auto params = ur::read_routing_table(dir.path() / "t", {.costs = source::params});
  CHECK(params.costs()(1, 1) == 70.5);
  CHECK(params.declared_cost(0) == 7);
  CHECK(params.notes().back() == "Costs: parameters in billions, as asked for.");
  const auto one = ur::read_routing_table(dir.path() / "t", {.costs = source::one});
  CHECK(one.costs()(0, 0) == 1);
  write_file(dir.path() / "t" / "models.csv", "model,params_b\nx,7\ny,\n");
  CHECK(ur::read_routing_table(dir.path() / "t", {.costs = source::params}).model_names() ==
        std::vector<std::string>{"x"});
}

TEST_CASE("what is below the smallest double is 0, what is beyond the largest is refused") {
  const temporary_directory dir;
  const std::string zeros(400, '0');
  write_table(dir.path() / "t", "models.csv", "model,cost\nx,0\ny,1e-400\n");
  write_file(dir.path() / "t" / "outcomes.csv", "id,x,y\na,0." + zeros + "1,0\nb,1e-5000,1e-320\n");
  const auto table = ur::read_routing_table(dir.path() / "t");
  CHECK(table.costs()(0, 1) == 0);
  CHECK(table.losses()(0, 0) == 1);
  CHECK(table.losses()(1, 0) == 1);
  refused("models.csv", "model,cost\nx,1\ny,1e400\n", "cost is '1e400', but must be a finite number");
  refused("models.csv", "model,cost\nx,1\ny,1" + zeros + "\n", "but must be a finite number");
  auto large = ur::make_matrix<double>(2, 2, 1.0);
  large(1, 0) = 1e300;
  ur::write_npy(dir.path() / "x.npy", large);
  CHECK_THROWS_WITH(ur::read_npy_matrix<float>(dir.path() / "x.npy"),
                    Catch::Contains("row 1, column 0 is 1e+300, which float32 cannot hold"));
  CHECK(ur::read_npy_matrix<double>(dir.path() / "x.npy")(1, 0) == 1e300);
}

TEST_CASE("JSON ends where it ends: a byte of 0 hides nothing") {
  using namespace std::string_literals;
  CHECK_THROWS_AS(ur::detail::parse_json("{\"a\":1}\0 garbage {{{"s), nlohmann::json::parse_error);
  CHECK_THROWS_AS(ur::detail::parse_json("{\"a\":1}\0"s), nlohmann::json::parse_error);
  refused("prompts.jsonl", "{\"id\":\"a\",\"prompt\":\"p\"}\0 garbage {{{\n{\"id\":\"b\",\"prompt\":\"q\"}\n"s,
          "prompts.jsonl:1:");
  const auto file = [](std::string header, const std::string& data) {
    std::string out;
    for (std::size_t i = 0; i < 8; ++i) out.push_back(static_cast<char>(header.size() >> (8 * i) & 0xFF));
    return out + header + data;
  };
  const temporary_directory dir;
  const std::string entry = "\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}";
  write_file(dir.path() / "nul.safetensors", file("{" + entry + "}\0\0\0\0"s, "1234"));
  CHECK_THROWS_WITH(ur::safetensors_file(dir.path() / "nul.safetensors"), Catch::Contains("not valid JSON"));
  write_file(dir.path() / "about.safetensors", file("{\"__metadata__\":{\"format\":1}," + entry + "}", "1234"));
  CHECK_THROWS_WITH(ur::safetensors_file(dir.path() / "about.safetensors"),
                    Catch::Contains("__metadata__ must be an object of texts"));
  // Types that came later are listed; some fill less than a byte.
  for (const auto& [type, count] :
       {std::pair{"F8_E8M0", 4}, std::pair{"F4", 8}, std::pair{"C64", 0}, std::pair{"F8_E4M3FNUZ", 4}}) {
    const std::string bytes(count == 0 ? 0 : 4, 'x');
    write_file(dir.path() / "new.safetensors",
               file("{\"w\":{\"dtype\":\"" + std::string(type) + "\",\"shape\":[" + std::to_string(count) +
                        "],\"data_offsets\":[0," + std::to_string(bytes.size()) + "]}}",
                    bytes));
    CAPTURE(type);
    CHECK(ur::safetensors_file(dir.path() / "new.safetensors").contains("w"));
  }
  write_file(dir.path() / "odd.safetensors",
             file("{\"w\":{\"dtype\":\"F4\",\"shape\":[1],\"data_offsets\":[0,1]}}", "x"));
  CHECK_THROWS_WITH(ur::safetensors_file(dir.path() / "odd.safetensors"), Catch::Contains("must fill whole bytes"));
}

TEST_CASE("a model folder of either generation is read, and no setting that changes embeddings passes unsaid") {
  const temporary_directory dir;
  const auto folder = dir.path() / "model";
  uniroute_tests::write_tiny_model(folder);
  const std::vector<std::string> prompts{"the cat sat", "cats unaffable"};
  const auto before = ur::read_transformer(folder).encode(prompts);
  std::vector<std::string> notes;
  // As sentence-transformers writes it since 5.4.
  write_file(folder / "1_Pooling/config.json",
             R"({"embedding_dimension": 8, "pooling_mode": "mean", "include_prompt": true})");
  CHECK((ur::read_transformer(folder, {}, &notes).encode(prompts) == before));
  CHECK(notes.empty());
  write_file(folder / "1_Pooling/config.json", R"({"pooling_mode": "cls", "colour": "red"})");
  CHECK(!(ur::read_transformer(folder, {}, &notes).encode(prompts) == before));
  CHECK(notes == std::vector<std::string>{"1_Pooling/config.json: 'colour' is not known, and not read"});
  const auto refuses = [&](const char* file, const std::string& content, const std::string& what) {
    const auto kept = std::filesystem::exists(folder / file) ? ur::detail::read_file(folder / file) : std::string();
    write_file(folder / file, content);
    CHECK_THROWS_WITH(ur::read_transformer(folder), Catch::Contains(file) && Catch::Contains(what));
    if (kept.empty()) {
      std::filesystem::remove(folder / file);
    } else {
      write_file(folder / file, kept);
    }
  };
  refuses("1_Pooling/config.json", R"({"pooling_mode": "max"})", "the pooling is max");
  refuses("1_Pooling/config.json", R"({"pooling_mode": ["mean", "max"]})", "pooling_mode is");
  refuses("1_Pooling/config.json", R"({"embedding_dimension": 8})", "the pooling is not given");
  refuses(
      "1_Pooling/config.json",
      R"({"pooling_mode_mean_tokens": true, "pooling_mode_weightedmean_tokens": true, "pooling_mode_lasttoken": true})",
      "pooling_mode_weightedmean_tokens");
  refuses("config_sentence_transformers.json", R"({"prompts": {"query": "query: "}, "default_prompt_name": "query"})",
          "default_prompt_name is \"query\", but must be null");
  refuses("sentence_bert_config.json", R"({"max_seq_length": 6, "transformer_task": "fill-mask"})", "transformer_task");
  // do_lower_case is done by a tokenizer that lowers case already, and refused beside one that does not.
  write_file(folder / "sentence_bert_config.json", R"({"max_seq_length": 6, "do_lower_case": true})");
  CHECK_NOTHROW(ur::read_transformer(folder));
  write_file(folder / "tokenizer_config.json", R"({"do_lower_case": false})");
  CHECK_THROWS_WITH(ur::read_transformer(folder), Catch::Contains("do_lower_case is true"));
}

TEST_CASE("weights that came from TensorFlow, and vocabularies with holes, are read as the reference reads them") {
  const temporary_directory dir;
  const auto folder = dir.path() / "model";
  uniroute_tests::write_tiny_model(folder);
  const std::vector<std::string> prompts{"the cat sat"};
  const auto before = ur::read_transformer(folder).encode(prompts);
  auto tensors = uniroute_tests::tiny_tensors();
  for (auto& tensor : tensors) {
    tensor.name = "bert." + tensor.name;
    const std::size_t at = tensor.name.find("LayerNorm.");
    if (at == std::string::npos) continue;
    tensor.name = tensor.name.substr(0, at + 10) + (tensor.name.ends_with("weight") ? "gamma" : "beta");
  }
  write_file(folder / "model.safetensors", uniroute_tests::safetensors_bytes(tensors));
  CHECK((ur::read_transformer(folder).encode(prompts) == before));

  write_file(dir.path() / "vocab.txt", "[UNK]\n[CLS]\n\n[SEP]\na\nb\na\n");
  const auto tokenizer = ur::read_vocabulary(dir.path() / "vocab.txt");
  CHECK(tokenizer.size() == 7);
  CHECK(tokenizer.encode("a b") == std::vector<std::uint32_t>{1, 6, 5, 3});
}

TEST_CASE("a link stands for what it points to; one that leads nowhere is refused before the work") {
  const temporary_directory dir;
  const auto table = ur::simulated_world{{.dimension = 8}}.sample(4, 1).table;
  ur::write_routing_table(table, dir.path() / "real");
  std::filesystem::create_directory_symlink(dir.path() / "real", dir.path() / "link");
  const auto other = ur::simulated_world{{.dimension = 8}}.sample(6, 1).table;
  ur::write_routing_table(other, dir.path() / "link");
  CHECK(std::filesystem::is_symlink(dir.path() / "link"));
  CHECK(ur::read_routing_table(dir.path() / "real").size() == 6);
  std::filesystem::create_directory_symlink(dir.path() / "nowhere" / "there", dir.path() / "dangling");
  CHECK_THROWS_WITH(ur::write_routing_table(table, dir.path() / "dangling"),
                    Catch::Contains("dangling' is a link to") && Catch::Contains("which is not there, but must be"));
  CHECK(std::filesystem::is_symlink(dir.path() / "dangling"));
}
