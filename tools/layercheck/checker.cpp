// SPDX-License-Identifier: BSD-3-Clause
#include "checker.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace tutti::layercheck {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSpdx = "SPDX-License-Identifier: BSD-3-Clause";

// Whole words in a preprocessor condition that make code depend on an architecture or a platform.
std::regex const& platform_macros() {
    static std::regex const pattern(
        R"(\b(__x86_64__|__x86_64|__amd64__|__i386__|__aarch64__|__arm__|__ARM_ARCH\w*|__riscv\w*|__SSE\w*|__AVX\w*|)"
        R"(__linux__|__linux|linux|__unix__|__gnu_linux__|__XEN__|__KVM__|__QEMU__|TUTTI_ARCH\w*|TUTTI_PLATFORM\w*)\b)");
    return pattern;
}

std::string read(fs::path const& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(file), {}};
}

bool is_header(fs::path const& path) { return path.extension() == ".hpp" || path.extension() == ".h"; }

bool is_source(fs::path const& path) {
    static constexpr std::array kExtensions{".hpp", ".h", ".cpp", ".c", ".S"};
    return std::ranges::find(kExtensions, path.extension().string()) != kExtensions.end();
}

// foo_test.cpp, foo_hosttest.cpp, foo_bench.cpp, foo_fuzz.cpp: users of a layer rather than parts of it.
bool is_test(fs::path const& path) {
    std::string const stem = path.stem().string();
    static constexpr std::array kEndings{"_test", "_hosttest", "_bench", "_fuzz"};
    return std::ranges::any_of(kEndings, [&](char const* ending) { return stem.ends_with(ending); });
}

// Comments and the insides of string literals blanked, line by line, so that neither looks like code. The
// path of an #include is kept.
std::string code_only(std::string const& text) {
    std::string code = text;
    enum { Code, LineComment, BlockComment, String, Character } state = Code;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        char const next = i + 1 < text.size() ? text[i + 1] : '\0';
        if (c == '\n') {
            if (state != BlockComment) state = Code;
            continue;
        }
        switch (state) {
            case Code:
                if (c == '/' && next == '/') state = LineComment;
                if (c == '/' && next == '*') state = BlockComment;
                if (state != Code) code[i] = ' ';
                if (c == '"') {
                    std::size_t const line = text.rfind('\n', i) + 1;  // npos + 1 == 0
                    std::size_t const first = text.find_first_not_of(" \t", line);
                    if (text[first] != '#') state = String;
                }
                // A digit separator (1'000) is no character literal.
                if (c == '\'' && (i == 0 || std::isalnum(static_cast<unsigned char>(text[i - 1])) == 0)) state = Character;
                break;
            case LineComment: code[i] = ' '; break;
            case BlockComment:
                code[i] = ' ';
                if (c == '*' && next == '/') {
                    code[++i] = ' ';
                    state = Code;
                }
                break;
            case String:
            case Character:
                if (c == '\\' && next != '\n') {
                    code[i] = ' ';
                    code[++i] = ' ';
                } else if (c == (state == String ? '"' : '\'')) {
                    state = Code;
                } else {
                    code[i] = ' ';
                }
                break;
        }
    }
    return code;
}

}  // namespace

Checker::Checker(fs::path tree) : tree_(std::move(tree)), layers_(Layers::parse(read(tree_ / "LAYERS"))) {
    if (!fs::is_directory(tree_ / "kernel")) throw std::runtime_error(tree_.string() + " has no folder kernel");
}

void Checker::report(std::string file, std::size_t line, std::string message) {
    violations_.push_back({std::move(file), line, std::move(message)});
}

std::vector<Violation> Checker::check() {
    for (fs::directory_entry const& child : fs::directory_iterator(tree_ / "kernel")) {
        std::string const name = child.path().filename().string();
        if (child.is_directory() && !layers_.knows(name)) report("kernel/" + name, 0, "the folder is not in LAYERS");
    }
    for (char const* top : {"kernel", "tools", "tests", "bench", "examples"}) {
        if (!fs::is_directory(tree_ / top)) continue;
        for (fs::directory_entry const& entry : fs::recursive_directory_iterator(tree_ / top)) {
            if (entry.is_regular_file() && is_source(entry.path())) check_source(entry.path());
        }
    }
    check_readmes();
    std::ranges::sort(violations_, [](Violation const& a, Violation const& b) {
        return a.file != b.file ? a.file < b.file : a.line < b.line;
    });
    return violations_;
}

void Checker::check_source(fs::path const& path) {
    ++files_;
    fs::path const relative = path.lexically_relative(tree_);
    std::string const file = relative.string();
    std::string const text = read(path);
    if (text.substr(0, text.find('\n')).find(kSpdx) == std::string::npos) {
        report(file, 1, "the first line is not the SPDX line (// " + std::string(kSpdx) + ")");
    }
    if (is_header(path) && code_only(text).find("#pragma once") == std::string::npos) {
        report(file, 0, "the header has no #pragma once");
    }
    auto part = relative.begin();
    if (*part++ != "kernel" || std::distance(relative.begin(), relative.end()) < 3) return;
    std::string const folder = part->string();
    if (!layers_.knows(folder)) return;

    bool const may_test_macros = folder == "arch" || folder == "platform" || file == "kernel/base/compiler.hpp";
    static std::regex const include(R"re(^\s*#\s*include\s*"([^"]+)")re");
    static std::regex const condition(R"(^\s*#\s*(if|ifdef|ifndef|elif|elifdef|elifndef)\b(.*))");
    static std::regex const seq_cst_store(R"(\bstore\([^;]*\bmemory_order_seq_cst\))");
    std::istringstream lines(code_only(text));
    std::string line;
    for (std::size_t number = 1; std::getline(lines, line); ++number) {
        std::size_t const first_line = number;
        while (line.ends_with('\\')) {  // a continued condition
            std::string more;
            line.pop_back();
            if (!std::getline(lines, more)) break;
            line += more;
            ++number;
        }
        if (std::regex_search(line, seq_cst_store)) {
            report(file, first_line, "a sequentially consistent store: QEMU lets later loads pass it; write exchange()");
        }
        std::smatch match;
        if (std::regex_search(line, match, include)) {
            std::string const included = match[1];
            bool const is_harness = included.starts_with("harness/") || included.starts_with("fakes/");
            if (is_test(path)) {
                if (included.find("..") != std::string::npos) check_include(file, folder, first_line, included);
            } else if (is_harness) {
                report(file, first_line, "only tests may include " + included);
            } else {
                check_include(file, folder, first_line, included);
            }
        } else if (!may_test_macros && std::regex_search(line, match, condition)) {
            std::string const expression = match[2];
            std::smatch macro;
            if (std::regex_search(expression, macro, platform_macros())) {
                report(file, first_line,
                       "condition on " + macro[1].str() + ": only arch/, platform/ and base/compiler.hpp may ask for it");
            }
        }
    }
}

void Checker::check_include(std::string const& file, std::string const& folder, std::size_t line,
                            std::string const& included) {
    if (included.find("..") != std::string::npos) {
        report(file, line, "\"" + included + "\" goes up; name the folder from kernel/ on");
        return;
    }
    std::string const target = included.substr(0, included.find('/'));
    if (!layers_.knows(target) || target == included) {
        report(file, line, "\"" + included + "\" does not start with a folder of LAYERS");
        return;
    }
    // arch/ is reached through a link to the architecture's own folder, which init and the linker choose.
    if (layers_.may_include(folder, target)) return;
    report(file, line,
           folder + "/ includes " + included + (layers_.are_siblings(folder, target) ? ", of its sibling " : ", of the higher layer ") +
               target + "/");
}

void Checker::check_readmes() {
    auto const need = [&](fs::path const& folder) {
        if (!fs::exists(tree_ / folder / "README.md")) report(folder.string(), 0, "the folder has no README.md");
    };
    for (std::string const& folder : layers_.folders()) {
        fs::path const path = fs::path("kernel") / folder;
        if (!fs::is_directory(tree_ / path)) continue;
        if (folder != "arch" && folder != "platform") {
            need(path);
            continue;
        }
        for (fs::directory_entry const& child : fs::directory_iterator(tree_ / path)) {
            if (child.is_directory()) need(path / child.path().filename());
        }
    }
}

}  // namespace tutti::layercheck
