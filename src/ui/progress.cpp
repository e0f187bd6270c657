#include "ui/progress.h"

#include "base/text.h"
#include "ui/time.h"
#include "ui/width.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::ui {

static constexpr double redraw_every = 0.1, line_every = 5, rate_over = 5; // seconds

void ProgressLine::sample(const Progress& progress, double now) {
    if (progress.what != what_ || (!samples_.empty() && progress.done < samples_.back().second)) {
        what_ = progress.what;
        samples_.clear();
    }
    samples_.emplace_back(now, progress.done);
    while (samples_.size() > 2 && now - samples_.front().first > rate_over)
        samples_.pop_front();
}

double ProgressLine::rate() const {
    if (samples_.size() < 2) return 0;
    const double elapsed = samples_.back().first - samples_.front().first;
    return elapsed > 0 ? static_cast<double>(samples_.back().second - samples_.front().second) / elapsed : 0;
}

bool ProgressLine::due(const Progress& progress, double now) {
    const bool complete = progress.total > 0 && progress.done >= progress.total;
    if (last_shown_ < 0) {
        last_shown_ = now;
        return is_terminal_;
    }
    const double wait = is_terminal_ ? redraw_every : line_every;
    if (now - last_shown_ < wait && !(is_terminal_ && complete)) return false;
    last_shown_ = now;
    return true;
}

std::string ProgressLine::figures(const Progress& progress) const {
    std::string out = text::human_size(progress.done);
    if (progress.total > 0) out += " of " + text::human_size(progress.total);
    const double bytes_a_second = rate();
    if (bytes_a_second < 1) return out;
    out += fmt::format(", {}/s", text::human_size(static_cast<uint64_t>(bytes_a_second)));
    if (progress.total > progress.done)
        out += fmt::format(", {} left",
                           span(static_cast<double>(progress.total - progress.done) / bytes_a_second));
    return out;
}

static unsigned percent(const Progress& progress) {
    if (progress.total == 0) return 0;
    const double part = static_cast<double>(progress.done) / static_cast<double>(progress.total);
    return static_cast<unsigned>(std::clamp(part, 0.0, 1.0) * 100);
}

/// "memory  45 % [=====>     ] 1.2 GiB of 2.7 GiB, 210 MiB/s, 7 s left", without the bar where it does not
/// fit.
std::string ProgressLine::bar(const Progress& progress, const std::string& figure_text) const {
    const std::string start = cell(progress.what);
    if (progress.total == 0) return start + "  " + figure_text;
    const std::string head = fmt::format("{} {:>3} % ", start, percent(progress));
    const size_t used = display_width(head) + display_width(figure_text) + 4; // brackets, blank, last column
    if (used + 5 > width_) return head + figure_text;
    const size_t room = std::min<size_t>(width_ - used, 40), full = room * percent(progress) / 100;
    std::string drawing(full, '=');
    if (full < room) drawing += '>' + std::string(room - full - 1, ' ');
    return fmt::format("{}[{}] {}", head, drawing, figure_text);
}

std::string ProgressLine::update(const Progress& progress, double now) {
    sample(progress, now);
    if (!due(progress, now)) return {};
    const std::string figure_text = figures(progress);
    if (!is_terminal_) {
        const std::string part = progress.total > 0 ? fmt::format("{} %, ", percent(progress)) : "";
        return fmt::format("{}: {}{}\n", cell(progress.what), part, figure_text);
    }
    drawn_ = true;
    // A line as wide as the terminal would wrap, and the next carriage return would not take it back.
    std::string line = bar(progress, figure_text);
    if (display_width(line) >= width_) line = fmt::format("{} {} %", cell(progress.what), percent(progress));
    return "\r" + line + "\x1b[K";
}

std::string ProgressLine::clear() {
    if (!drawn_) return {};
    drawn_ = false;
    return "\r\x1b[K";
}

} // namespace domsnap::ui
