#include "rpc/pools.h"

#include "base/text.h"
#include "base/uuid.h"
#include "rpc/failure.h"
#include "xml/document.h"

#include <fmt/format.h>

namespace domsnap::rpc {

static constexpr size_t most = 1000;

/// Of the name, so that it is the same after the server was started anew.
static std::string uuid_of(const std::string& name) {
    UuidBytes bytes{};
    uint64_t hash = 0xcbf29ce484222325; // FNV-1a
    for (size_t i = 0; i < bytes.size(); ++i) {
        for (const char c : name)
            hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
        bytes[i] = static_cast<uint8_t>(hash >> 32);
    }
    return uuid_from_random(bytes);
}

static Pool parse(const std::string& xml) {
    const auto root = xml::parse_root(xml, "pool", "(storage_pool_definition)");
    Pool pool{root.text_at("name"), canonical_uuid(root.text_at("uuid")).value_or(""),
              root.text_at("target/path"), false, false};
    while (pool.folder.size() > 1 && pool.folder.ends_with('/'))
        pool.folder.pop_back(); // a volume is found by its path
    if (root.attribute("type") != "dir")
        throw Error(
            ErrorCode::unsupported,
            fmt::format("storage pools of type '{}' are not had", text::printable(root.attribute("type"))),
            "domsnap's disks are files and block devices; name them by their paths");
    if (pool.name.empty() || !text::starts_with_slash(pool.folder))
        throw Error(ErrorCode::invalid_request,
                    "XML error: a pool needs a <name> and an absolute <path> in <target>");
    if (pool.uuid.empty()) pool.uuid = uuid_of(pool.name);
    return pool;
}

void Pools::keep_up(const std::vector<FolderPool>& configured) {
    const std::lock_guard lock(mutex_);
    for (auto& [name, pool] : pools_)
        pool.configured = false;
    for (const auto& [name, folder] : configured) {
        auto& pool = pools_.try_emplace(name, Pool{name, uuid_of(name), folder, true, true}).first->second;
        pool.folder = folder;
        pool.configured = true;
        was_configured_.insert(name);
    }
    std::erase_if(pools_, [&](const auto& entry) {
        return !entry.second.configured && was_configured_.contains(entry.first);
    });
    std::erase_if(was_configured_, [&](const auto& name) { return !pools_.contains(name); });
}

Pool Pools::define(const std::string& xml) {
    Pool pool = parse(xml);
    const std::lock_guard lock(mutex_);
    const auto known = pools_.find(pool.name);
    if (known != pools_.end() && known->second.folder != pool.folder)
        throw Error(ErrorCode::conflict,
                    fmt::format("operation failed: pool '{}' is already defined with folder {}",
                                text::printable(pool.name), known->second.folder));
    if (known == pools_.end() && pools_.size() >= most)
        throw Error(ErrorCode::conflict, fmt::format("operation failed: there are {} pools already", most));
    return known != pools_.end() ? known->second : pools_.emplace(pool.name, pool).first->second;
}

template <class Map>
static auto& find(Map& pools, const std::string& name) {
    const auto found = pools.find(name);
    if (found != pools.end()) return found->second;
    throw Refusal(Code::no_storage_pool, Area::storage,
                  fmt::format("Storage pool not found: no storage pool with matching name '{}'",
                              text::printable(name)));
}

void Pools::set_active(const std::string& name, bool active) {
    const std::lock_guard lock(mutex_);
    find(pools_, name).active = active;
}

void Pools::forget(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto& pool = find(pools_, name);
    if (pool.configured)
        throw Error(
            ErrorCode::conflict,
            fmt::format("Requested operation is not valid: pool '{}' is configured", text::printable(name)),
            "take its line out of the file 'pools' in domsnap's state folder, or write one into it that has "
            "no 'default'");
    pools_.erase(std::string(pool.name));
}

Pool Pools::get(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return find(pools_, name);
}

std::vector<Pool> Pools::all() const {
    const std::lock_guard lock(mutex_);
    std::vector<Pool> pools;
    for (const auto& [name, pool] : pools_)
        pools.push_back(pool);
    return pools;
}

} // namespace domsnap::rpc
