// The progress of a long step as text: a bar that is redrawn on a terminal, plain lines now and then
// elsewhere. Knows neither the clock nor a descriptor: time is a parameter, and the caller writes what it is
// given.
#pragma once

#include <domsnap/progress.h>

#include <cstddef>
#include <deque>
#include <string>
#include <utility>

namespace domsnap::ui {

class ProgressLine {
  public:
    /// width: the terminal's columns.
    ProgressLine(bool is_terminal, size_t width) : is_terminal_(is_terminal), width_(width) {}

    /// now: seconds of any steady clock. What is to be written; often nothing: a terminal gets ten lines a
    /// second at most, another place one when 5 s have passed since the last (or the start), so that short
    /// work prints none.
    std::string update(const Progress& progress, double now);
    /// Makes room for a line of somebody else: takes the bar off the terminal.
    std::string clear();

  private:
    std::string bar(const Progress& progress, const std::string& figures) const;
    std::string figures(const Progress& progress) const;
    void sample(const Progress& progress, double now);
    bool due(const Progress& progress, double now);
    double rate() const; ///< bytes a second over the last samples; 0 = not known yet

    bool is_terminal_;
    size_t width_;
    bool drawn_ = false;
    std::string what_;
    double last_shown_ = -1;
    std::deque<std::pair<double, uint64_t>> samples_; ///< time, bytes done
};

} // namespace domsnap::ui
