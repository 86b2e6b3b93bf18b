#include "vc_cluster_plugin.h"

#include <dlfcn.h>
#include <stdio.h>

const struct vc_cluster_plugin *vc_cluster_plugin_load(const char *path, char *message, size_t size) {
    // MPI libraries load components of their own, which look for MPI's symbols among the global ones.
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!library) {
        snprintf(message, size, "%s", dlerror());
        return NULL;
    }
    const vc_cluster_plugin_function function = (vc_cluster_plugin_function)dlsym(library, VC_CLUSTER_PLUGIN_SYMBOL);
    if (!function) {
        snprintf(message, size, "it has no function %s", VC_CLUSTER_PLUGIN_SYMBOL);
        return NULL;
    }
    const struct vc_cluster_plugin *plugin = function();
    if (plugin->version != VC_CLUSTER_PLUGIN_VERSION) {
        snprintf(message, size, "it was built for version %u of vidclass's plug-ins, not %u", plugin->version, VC_CLUSTER_PLUGIN_VERSION);
        return NULL;
    }
    return plugin;
}
