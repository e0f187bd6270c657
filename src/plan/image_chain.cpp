#include "plan/image_chain.h"

#include <algorithm>

namespace domsnap::plan {

std::vector<std::string> image_chain(const Facts& facts, std::string path) {
    std::vector<std::string> chain;
    while (!path.empty() && std::find(chain.begin(), chain.end(), path) == chain.end()) {
        const auto image = facts.images.find(path);
        chain.push_back(std::move(path));
        path = image == facts.images.end() ? "" : image->second.parent;
    }
    return chain;
}

std::vector<std::string> images_on(const Facts& facts, const std::string& path) {
    std::vector<std::string> images;
    for (const auto& [name, image] : facts.images)
        if (image.parent == path) images.push_back(name);
    return images;
}

} // namespace domsnap::plan
