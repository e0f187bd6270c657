#include "session.h"

#include "os/signals.h"
#include "terminal.h"
#include "ui/progress.h"
#include "ui/width.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>

namespace domsnap::cli {

static void to_stderr(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
}

struct Session::Meter {
    ui::ProgressLine line{stderr_is_terminal(), terminal_width()};

    void show(const Progress& progress) {
        using Seconds = std::chrono::duration<double>;
        const auto now =
            std::chrono::duration_cast<Seconds>(std::chrono::steady_clock::now().time_since_epoch());
        if (const auto text = line.update(progress, now.count()); !text.empty()) to_stderr(text);
    }
    void clear() {
        if (const auto text = line.clear(); !text.empty()) to_stderr(text);
    }
};

Session::Session(Globals globals) : globals_(std::move(globals)), meter_(std::make_unique<Meter>()) {}
Session::~Session() { meter_->clear(); }

Host& Session::host() {
    if (!host_) host_ = std::make_unique<Host>(globals_.folders);
    return *host_;
}

void Session::print(std::string_view text) {
    if (text.empty()) return;
    meter_->clear();
    std::fwrite(text.data(), 1, text.size(), stdout);
    last_ = text.back();
}

void Session::print_document(std::string_view text) {
    print(text);
    document_ = true;
}

void Session::say(std::string_view message) {
    if (!globals_.quiet) print(message);
}

void Session::remark(const std::string& line) {
    if (globals_.quiet) return;
    meter_->clear();
    to_stderr(ui::cell(line) + "\n");
}

void Session::warn(const std::string& line) {
    meter_->clear();
    to_stderr(fmt::format("warning: {}\n", ui::cell(line)));
}

void Session::warn_of_unfinished(const std::string& domain) {
    if (const auto words = host().unfinished(domain); !words.empty()) warn(words);
}

Control Session::control() {
    Control control;
    if (!globals_.quiet && !globals_.no_progress)
        control.progress = [this](const Progress& progress) { meter_->show(progress); };
    control.warning = [this](const std::string& line) { warn(line); };
    control.cancel = &os::watch_interrupts();
    return control;
}

void Session::flush() {
    meter_->clear();
    std::fflush(stdout);
}

void Session::finish() {
    meter_->clear();
    if ((!globals_.quiet && !document_) || last_ != '\n') std::fputc('\n', stdout);
    if (std::fflush(stdout) != 0 || std::ferror(stdout))
        throw Error(ErrorCode::io, fmt::format("cannot write to standard output: {}", std::strerror(errno)));
}

static std::string one_line(std::string_view text) {
    std::string out(text.substr(0, text.find_last_not_of(" \r\n") + 1));
    for (char& c : out)
        if (c == '\n' || c == '\r') c = ' ';
    return ui::cell(out);
}

void print_error(std::string_view message, std::string_view hint) {
    std::fflush(stdout);
    std::string text = fmt::format("error: {}\n", one_line(message));
    if (!hint.empty()) text += fmt::format("hint: {}\n", one_line(hint));
    to_stderr(text);
}

void explained(const std::string& what, const std::vector<std::string>& objects,
               const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        const std::string reason = error.what();
        for (const auto& object : objects)
            if (reason.find("'" + object + "'") != std::string::npos) throw;
        throw Error(error.code(), fmt::format("{}: {}", what, reason), error.hint());
    }
}

} // namespace domsnap::cli
