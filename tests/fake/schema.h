// What a real QEMU said about its commands (tests/fake/record-schema), and whether a command's arguments fit
// it.
#pragma once

#include "refusal.h"

namespace fake {

class Schema {
  public:
    /// version: "7.2" or "10.0".
    static Schema load(const std::string& version);

    const Json& version() const { return recorded_.at("version"); }
    const Json& machines() const { return recorded_.at("machines"); }
    const Json& migration_capabilities() const { return recorded_.at("migration-capabilities"); }
    Json commands() const; ///< the answer to query-commands
    Json describe() const; ///< the answer to query-qmp-schema, as far as it was recorded
    bool has(const std::string& command) const { return recorded_.at("commands").contains(command); }
    /// Throws Refusal in QEMU's words for a member that is missing, unknown or of another type.
    void check(const std::string& command, const Json& arguments) const;

  private:
    void check_value(const std::string& type, const Json& value, const std::string& where) const;
    void check_object(const Json& type, const Json& value, const std::string& where) const;
    void check_alternate(const Json& type, const Json& value, const std::string& where) const;
    Json members_of(const Json& type, const Json& value, const std::string& where) const;

    Json recorded_;
};

} // namespace fake
