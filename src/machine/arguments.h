// QEMU's argv as it grows, with the quoting that QEMU's two syntaxes need. Knows no XML.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace domsnap::machine {

using Json = nlohmann::ordered_json; // as written: "driver" and "id" first, so that a log can be read

/// For a value in QEMU's key=value,key=value syntax: commas are doubled (qemu-options: "a comma is written as
/// two").
std::string escape_commas(std::string_view value);

/// QEMU makes devices in the order of its command line. What others hang on comes first; and a device with an
/// address comes before those to which QEMU gives the next free one, so that it never takes an address that
/// is spoken for.
enum class DeviceRank { pci_bus, pci_bus_anywhere, pci, pci_anywhere, hub, plugged };

class Arguments {
  public:
    void flag(std::string name);
    void option(std::string name, std::string value);
    void json(std::string name, const Json& value);
    void device(DeviceRank rank, const Json& device);
    /// Appended behind the devices: what the document passes to QEMU itself.
    void last(std::string word);
    std::vector<std::string> finish(const std::string& emulator) const;

  private:
    std::vector<std::string> words_, last_;
    std::vector<std::pair<DeviceRank, std::string>> devices_;
};

} // namespace domsnap::machine
