#include "ui/table.h"

#include "ui/width.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace domsnap::ui {

static void widen(std::vector<size_t>& widths, const Row& row) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i)
        widths[i] = std::max(widths[i], display_width(row[i]));
}

static std::string row_text(const Row& row, const std::vector<size_t>& widths) {
    std::string out;
    for (size_t i = 0; i < row.size(); ++i)
        out += i + 1 < row.size() ? fmt::format(" {}  ", padded(row[i], widths[i]))
                                  : fmt::format(" {}\n", row[i]);
    return out;
}

static Row safe(Row row) {
    for (auto& text : row)
        text = cell(text);
    return row;
}

std::string table(const Row& heading, const std::vector<Row>& rows) {
    std::vector<Row> shown;
    for (const auto& row : rows)
        shown.push_back(safe(row));
    std::vector<size_t> widths;
    widen(widths, heading);
    for (const auto& row : shown)
        widen(widths, row);
    std::string out;
    if (!heading.empty()) {
        const size_t rule = std::accumulate(widths.begin(), widths.end(), widths.size() * 3);
        out = row_text(heading, widths) + std::string(rule, '-') + "\n";
    }
    for (const auto& row : shown)
        out += row_text(row, widths);
    return out;
}

std::string block(const std::vector<std::pair<std::string, std::string>>& fields) {
    std::string out;
    for (const auto& [label, value] : fields)
        out += fmt::format("{} {}\n", padded(label + ":", 15), cell(value));
    return out;
}

std::string lines(const std::vector<std::string>& texts) {
    std::string out;
    for (const auto& text : texts)
        out += cell(text) + "\n";
    return out;
}

} // namespace domsnap::ui
