#include "ui/time.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <fmt/format.h>

namespace domsnap::ui {

std::string local_time(int64_t epoch_seconds) {
    const std::time_t time = epoch_seconds;
    std::tm parts{};
    if (!::localtime_r(&time, &parts))
        return fmt::format("@{}", epoch_seconds); // beyond what a year can hold
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %z", &parts);
    return text.data();
}

std::string span(double seconds) {
    const auto whole = static_cast<int64_t>(std::ceil(std::clamp(seconds, 0.0, 1e12)));
    if (whole < 60) return fmt::format("{} s", whole);
    if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

} // namespace domsnap::ui
