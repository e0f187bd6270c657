// <video> and <input>: what the guest shows, and what it is steered with.
#include "machine/pci.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

namespace {

std::string video_driver(const model::Element& model, bool primary) {
    static const std::map<std::string, std::string> drivers = {
        {"vga", "VGA"},           {"cirrus", "cirrus-vga"}, {"bochs", "bochs-display"},
        {"vmvga", "vmware-svga"}, {"virtio", "virtio-vga"}, {"ramfb", "ramfb"},
    };
    const auto type = model.attribute("type", "vga");
    if (type == "qxl")
        refuse_attribute(model, "type", "qxl is spice's", "use <model type='virtio'/> or 'vga'");
    const auto found = drivers.find(type);
    if (found == drivers.end())
        refuse_attribute(model, "type", "it knows virtio, vga, cirrus, bochs, vmvga, ramfb and none");
    if (primary) return found->second;
    if (type == "virtio") return "virtio-gpu-pci";
    if (type == "vga") return "secondary-vga";
    if (type == "bochs") return "bochs-display";
    refuse_attribute(model, "type", "it cannot be a second display");
}

void add_memory_size(const model::Element& model, const std::string& driver, Json& device) {
    const auto vram = number_of(model, "vram");
    const bool has_vgamem =
        driver == "VGA" || driver == "secondary-vga" || driver == "cirrus-vga" || driver == "vmware-svga";
    // KiB in the document, MiB in QEMU; QEMU's default is libvirt's, 16.
    if (vram && has_vgamem && *vram >= 1024) device["vgamem_mb"] = *vram / 1024;
    if (vram && driver == "bochs-display") device["vgamem"] = *vram * 1024;
}

void add_video(Build& build, const model::Element& video, size_t number) {
    only_children(video, {"model", "alias", "address", "driver"});
    static const model::Element standard("model");
    const auto* child = video.child("model");
    const auto& model = child ? *child : standard;
    only_children(model, {"acceleration", "resolution"});
    only_attributes(model, {"type", "vram", "heads", "primary", "blob", "ram", "vgamem"});
    if (model.attribute("type") == "none") return;
    if (const auto* acceleration = model.child("acceleration"))
        if (switch_of(*acceleration, "accel3d").value_or(false))
            refuse_attribute(*acceleration, "accel3d", "it would need the host's GPU");
    const auto driver = video_driver(model, number == 0);
    Json device{{"driver", driver}, {"id", id_of(video, fmt::format("video{}", number))}};
    add_memory_size(model, driver, device);
    if (const auto heads = number_of(model, "heads"); heads && driver.starts_with("virtio"))
        device["max_outputs"] = *heads;
    if (const auto* size = model.child("resolution"); size && driver != "cirrus-vga") {
        device["xres"] = number_of(*size, "x").value_or(1280);
        device["yres"] = number_of(*size, "y").value_or(800);
    }
    if (driver == "ramfb") return build.arguments.device(DeviceRank::plugged, device);
    add_pci_device(build, video, std::move(device));
}

void place_on_usb(const model::Element& input, Json& device) {
    const auto* address = input.child("address");
    const auto bus = address ? number_of(*address, "bus").value_or(0) : 0;
    device["bus"] = bus ? fmt::format("usb{}.0", bus) : "usb.0";
    if (address && address->find_attribute("port")) device["port"] = address->attribute("port");
}

void add_input(Build& build, const model::Element& input, size_t number) {
    only_children(input, {"alias", "address", "driver"});
    only_attributes(input, {"type", "bus", "model"});
    const auto type = word_of(input, "type", "", {"tablet", "mouse", "keyboard"});
    const auto bus = word_of(input, "bus", type == "tablet" ? "usb" : "ps2", {"usb", "ps2", "virtio"});
    if (bus == "ps2" && type == "tablet") refuse_attribute(input, "bus", "there is no such tablet");
    if (bus == "ps2") return; // every PC has them
    Json device{{"driver", ""}, {"id", id_of(input, fmt::format("input{}", number))}};
    if (bus == "virtio") {
        device["driver"] = virtio_driver(type, input.attribute("model"));
        return add_pci_device(build, input, std::move(device));
    }
    device["driver"] = type == "keyboard" ? "usb-kbd" : "usb-" + type;
    place_on_usb(input, device);
    build.arguments.device(DeviceRank::plugged, device);
}

} // namespace

void add_videos(Build& build) {
    const auto videos = build.devices("video");
    for (size_t i = 0; i < videos.size(); ++i)
        add_video(build, *videos[i], i);
    // As libvirt: a display has something to show.
    if (videos.empty() && !build.devices("graphics").empty()) add_video(build, model::Element("video"), 0);
}

void add_inputs(Build& build) {
    const auto hubs = build.devices("hub");
    for (size_t i = 0; i < hubs.size(); ++i) {
        word_of(*hubs[i], "type", "", {"usb"});
        Json device{{"driver", "usb-hub"}, {"id", id_of(*hubs[i], fmt::format("hub{}", i))}};
        place_on_usb(*hubs[i], device);
        build.arguments.device(DeviceRank::hub, device);
    }
    const auto inputs = build.devices("input");
    for (size_t i = 0; i < inputs.size(); ++i)
        add_input(build, *inputs[i], i);
}

} // namespace domsnap::machine
