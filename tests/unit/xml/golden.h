// Files that tests read and compare with. DOMSNAP_UPDATE_GOLDENS=1 writes them anew: read the difference
// before committing it.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <vector>

namespace golden {

inline std::string read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file) << path;
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline void expect(const std::filesystem::path& path, const std::string& text) {
    if (std::getenv("DOMSNAP_UPDATE_GOLDENS")) {
        std::ofstream(path, std::ios::binary) << text;
        return;
    }
    EXPECT_EQ(read(path), text) << path;
}

/// The files of a folder with that ending, sorted; at least one.
inline std::vector<std::filesystem::path> files(const std::filesystem::path& folder,
                                                const std::string& ending) {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().string().ends_with(ending)) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    EXPECT_FALSE(found.empty()) << folder;
    return found;
}

} // namespace golden
