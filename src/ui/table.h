// virsh's tables and its "Name:  value" blocks. Knows nothing of what stands in them.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace domsnap::ui {

using Row = std::vector<std::string>;

/// Each column is as wide as its longest cell, one blank before it, two after; the last one is not padded.
/// With a heading comes a rule of Σ(width + 3) dashes; an empty heading ("-q") leaves both out, and its words
/// do not count for the widths. Every row has the same number of cells.
std::string table(const Row& heading, const std::vector<Row>& rows);

/// "Name:           e1": the value in column 17.
std::string block(const std::vector<std::pair<std::string, std::string>>& fields);

/// One a line.
std::string lines(const std::vector<std::string>& texts);

} // namespace domsnap::ui
