// Memory images and what they rest on, as the facts have them.
#pragma once

#include "plan/facts.h"

#include <string>
#include <vector>

namespace domsnap::plan {

/// The image and what it rests on, itself first, as far as it is known. Empty for "".
std::vector<std::string> image_chain(const Facts& facts, std::string path);
/// The images that rest on this one, by path.
std::vector<std::string> images_on(const Facts& facts, const std::string& path);

} // namespace domsnap::plan
