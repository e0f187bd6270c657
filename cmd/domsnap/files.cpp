#include "files.h"

#include <domsnap/error.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace domsnap::cli {

static constexpr size_t longest_document = 16 << 20;

[[noreturn]] static void fail(const std::string& what, const std::string& file) {
    throw Error(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io,
                fmt::format("{} '{}': {}", what, file, std::strerror(errno)));
}

static std::string read_stream(std::FILE* stream, const std::string& file) {
    std::string text;
    std::array<char, 65536> buffer;
    errno = 0;
    while (const size_t got = std::fread(buffer.data(), 1, buffer.size(), stream)) {
        text.append(buffer.data(), got);
        if (text.size() > longest_document)
            throw Error(ErrorCode::invalid_request,
                        fmt::format("'{}' is longer than the 16 MiB that are allowed", file));
    }
    if (std::ferror(stream)) fail("Failed to read file", file);
    return text;
}

std::string read_document(const std::string& file) {
    if (file == "-") return read_stream(stdin, "(standard input)");
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "re"), std::fclose);
    if (!stream) fail("Failed to open file", file);
    return read_stream(stream.get(), file);
}

static std::string temporary_file(const std::string& text) {
    const char* folder = std::getenv("TMPDIR");
    std::string path = fmt::format("{}/domsnapXXXXXX.xml", folder && *folder ? folder : "/tmp");
    const int fd = ::mkstemps(path.data(), 4); // 0600
    if (fd < 0) fail("Failed to make the temporary file", path);
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    ::close(fd);
    if (wrote == static_cast<ssize_t>(text.size())) return path;
    ::unlink(path.c_str());
    fail("Failed to write the temporary file", path);
}

static std::vector<std::string> editor_words() {
    for (const char* variable : {"VISUAL", "EDITOR"}) {
        const char* value = std::getenv(variable);
        std::vector<std::string> words;
        for (std::string_view rest = value ? value : ""; !rest.empty();) {
            const auto blank = std::min(rest.find(' '), rest.size());
            if (blank > 0) words.emplace_back(rest.substr(0, blank));
            rest.remove_prefix(std::min(blank + 1, rest.size()));
        }
        if (!words.empty()) return words;
    }
    return {"vi"};
}

/// As system(3) does while it waits: Ctrl-C is for the editor.
static int wait_for_editor(pid_t editor) {
    struct sigaction ignore{}, before_int{}, before_quit{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGINT, &ignore, &before_int);
    ::sigaction(SIGQUIT, &ignore, &before_quit);
    int status = 0;
    while (::waitpid(editor, &status, 0) < 0 && errno == EINTR) {
    }
    ::sigaction(SIGINT, &before_int, nullptr);
    ::sigaction(SIGQUIT, &before_quit, nullptr);
    return status;
}

static void run_editor(const std::string& path) {
    auto words = editor_words();
    words.push_back(path);
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_t editor = 0;
    if (const int error = ::posix_spawnp(&editor, argv[0], nullptr, nullptr, argv.data(), environ);
        error != 0)
        throw Error(ErrorCode::not_found,
                    fmt::format("cannot run the editor '{}': {}", words[0], std::strerror(error)),
                    "set $EDITOR to a program and its options");
    if (const int status = wait_for_editor(editor); status != 0)
        throw Error(ErrorCode::cancelled,
                    fmt::format("the editor '{}' did not end well: nothing was changed", words[0]));
}

EditedText::EditedText(const std::string& text) : before_(text), path_(temporary_file(text)) {
    try {
        run_editor(path_);
        text_ = read_document(path_);
    } catch (...) {
        ::unlink(path_.c_str());
        throw;
    }
}

EditedText::~EditedText() {
    if (!kept_) ::unlink(path_.c_str());
}

const std::string& EditedText::keep() {
    kept_ = true;
    return path_;
}

} // namespace domsnap::cli
