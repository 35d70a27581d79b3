/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdint.h>

#include <rte_interrupts.h>

#include "hosted.h"

/*
 * The other functions of ethdev, rte_flow, rte_tm and rte_mtr that run code of a port's driver.
 * They are serialized with switches, which stop and start the driver and free what is in its rings.
 *
 * Their parameters differ between releases of DPDK, but all are integers or pointers, the first one
 * the port. So each function here takes eight words and passes them on: 64-bit calling conventions
 * pass a parameter in the same place however many follow.
 *
 * A driver's interrupt handler calls the application's callbacks, which often read the link. A
 * driver's stop may wait for its handler. So READS functions do not wait for a switch in the
 * interrupt thread. The driver has to cope with both, as it does when the application stops it.
 *
 * Of DPDK 22.11 to 26.07; a name that this release lacks is never called.
 *
 * Not here: functions that only read ethdev's records; tx_done_cleanup, which is a burst; and those
 * of the packet path, which would wait for a switch there (doc/any-driver.md names these).
 */

_Static_assert(sizeof(uintptr_t) == 8, "parameters are words of 64 bits");

typedef uintptr_t (*forward_t)(
	uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t);

static bool order(uint16_t port_id, bool reads)
{
	if (!hosted_function_of(port_id) || (reads && rte_thread_is_intr()))
		return false;
	hosted_lock();
	return true;
}

#define ORDERED(name, reads)                                                                      \
	uintptr_t ordered_##name(uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e, \
		uintptr_t f, uintptr_t g, uintptr_t h) __asm__(#name);                            \
	uintptr_t ordered_##name(uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e, \
		uintptr_t f, uintptr_t g, uintptr_t h)                                            \
	{                                                                                         \
		static forward_t real;                                                            \
		bool locked = order((uint16_t)a, reads);                                          \
                                                                                                  \
		if (!real)                                                                        \
			real = (forward_t)hosted_next(#name);                                     \
		a = real(a, b, c, d, e, f, g, h);                                                 \
		if (locked)                                                                       \
			hosted_unlock();                                                          \
		return a;                                                                         \
	}
#define READS(name)   ORDERED(name, true)
#define CHANGES(name) ORDERED(name, false)

CHANGES(rte_eth_allmulticast_disable)
CHANGES(rte_eth_allmulticast_enable)
CHANGES(rte_eth_cman_config_set)
CHANGES(rte_eth_dev_default_mac_addr_set)
CHANGES(rte_eth_dev_flow_ctrl_set)
CHANGES(rte_eth_dev_mac_addr_add)
CHANGES(rte_eth_dev_mac_addr_remove)
CHANGES(rte_eth_dev_map_aggr_tx_affinity)
CHANGES(rte_eth_dev_priority_flow_ctrl_queue_configure)
CHANGES(rte_eth_dev_priority_flow_ctrl_set)
CHANGES(rte_eth_dev_reset)
CHANGES(rte_eth_dev_rss_hash_update)
CHANGES(rte_eth_dev_rss_reta_update)
CHANGES(rte_eth_dev_rx_intr_ctl)
CHANGES(rte_eth_dev_rx_intr_ctl_q)
CHANGES(rte_eth_dev_rx_intr_ctl_q_get_fd)
CHANGES(rte_eth_dev_rx_intr_disable)
CHANGES(rte_eth_dev_rx_intr_enable)
CHANGES(rte_eth_dev_rx_queue_start)
CHANGES(rte_eth_dev_rx_queue_stop)
CHANGES(rte_eth_dev_set_eeprom)
CHANGES(rte_eth_dev_set_mtu)
CHANGES(rte_eth_dev_set_ptypes)
CHANGES(rte_eth_dev_set_rx_queue_stats_mapping)
CHANGES(rte_eth_dev_set_tx_queue_stats_mapping)
CHANGES(rte_eth_dev_set_vlan_ether_type)
CHANGES(rte_eth_dev_set_vlan_offload)
CHANGES(rte_eth_dev_set_vlan_pvid)
CHANGES(rte_eth_dev_set_vlan_strip_on_queue)
CHANGES(rte_eth_dev_stop)
CHANGES(rte_eth_dev_tx_queue_start)
CHANGES(rte_eth_dev_tx_queue_stop)
CHANGES(rte_eth_dev_uc_all_hash_table_set)
CHANGES(rte_eth_dev_uc_hash_table_set)
CHANGES(rte_eth_dev_udp_tunnel_port_add)
CHANGES(rte_eth_dev_udp_tunnel_port_delete)
CHANGES(rte_eth_dev_vlan_filter)
CHANGES(rte_eth_fec_set)
CHANGES(rte_eth_hairpin_bind)
CHANGES(rte_eth_hairpin_unbind)
CHANGES(rte_eth_ip_reassembly_conf_set)
CHANGES(rte_eth_led_off)
CHANGES(rte_eth_led_on)
CHANGES(rte_eth_promiscuous_disable)
CHANGES(rte_eth_promiscuous_enable)
CHANGES(rte_eth_rx_avail_thresh_set)
CHANGES(rte_eth_rx_hairpin_queue_setup)
CHANGES(rte_eth_rx_metadata_negotiate)
CHANGES(rte_eth_rx_queue_setup)
CHANGES(rte_eth_set_queue_rate_limit)
CHANGES(rte_eth_speed_lanes_set)
CHANGES(rte_eth_stats_reset)
CHANGES(rte_eth_timesync_adjust_freq)
CHANGES(rte_eth_timesync_adjust_time)
CHANGES(rte_eth_timesync_disable)
CHANGES(rte_eth_timesync_enable)
CHANGES(rte_eth_timesync_write_time)
CHANGES(rte_eth_tx_hairpin_queue_setup)
CHANGES(rte_eth_tx_queue_setup)
CHANGES(rte_eth_xstats_reset)
CHANGES(rte_eth_xstats_set_counter)
CHANGES(rte_flow_action_handle_create)
CHANGES(rte_flow_action_handle_destroy)
CHANGES(rte_flow_action_handle_query_update)
CHANGES(rte_flow_action_handle_update)
CHANGES(rte_flow_action_list_handle_create)
CHANGES(rte_flow_action_list_handle_destroy)
CHANGES(rte_flow_action_list_handle_query_update)
CHANGES(rte_flow_actions_template_create)
CHANGES(rte_flow_actions_template_destroy)
CHANGES(rte_flow_actions_update)
CHANGES(rte_flow_configure)
CHANGES(rte_flow_create)
CHANGES(rte_flow_destroy)
CHANGES(rte_flow_flex_item_create)
CHANGES(rte_flow_flex_item_release)
CHANGES(rte_flow_flush)
CHANGES(rte_flow_group_set_miss_actions)
CHANGES(rte_flow_isolate)
CHANGES(rte_flow_pattern_template_create)
CHANGES(rte_flow_pattern_template_destroy)
CHANGES(rte_flow_pick_transfer_proxy)
CHANGES(rte_flow_template_table_create)
CHANGES(rte_flow_template_table_destroy)
CHANGES(rte_flow_template_table_resize)
CHANGES(rte_flow_template_table_resize_complete)
CHANGES(rte_flow_tunnel_action_decap_release)
CHANGES(rte_flow_tunnel_decap_set)
CHANGES(rte_flow_tunnel_item_release)
CHANGES(rte_flow_tunnel_match)
CHANGES(rte_mtr_color_in_protocol_set)
CHANGES(rte_mtr_create)
CHANGES(rte_mtr_destroy)
CHANGES(rte_mtr_meter_disable)
CHANGES(rte_mtr_meter_dscp_table_update)
CHANGES(rte_mtr_meter_enable)
CHANGES(rte_mtr_meter_policy_add)
CHANGES(rte_mtr_meter_policy_delete)
CHANGES(rte_mtr_meter_policy_update)
CHANGES(rte_mtr_meter_profile_add)
CHANGES(rte_mtr_meter_profile_delete)
CHANGES(rte_mtr_meter_profile_update)
CHANGES(rte_mtr_meter_vlan_table_update)
CHANGES(rte_mtr_stats_update)
CHANGES(rte_tm_hierarchy_commit)
CHANGES(rte_tm_mark_ip_dscp)
CHANGES(rte_tm_mark_ip_ecn)
CHANGES(rte_tm_mark_vlan_dei)
CHANGES(rte_tm_node_add)
CHANGES(rte_tm_node_cman_update)
CHANGES(rte_tm_node_delete)
CHANGES(rte_tm_node_parent_update)
CHANGES(rte_tm_node_resume)
CHANGES(rte_tm_node_shaper_update)
CHANGES(rte_tm_node_shared_shaper_update)
CHANGES(rte_tm_node_shared_wred_context_update)
CHANGES(rte_tm_node_stats_update)
CHANGES(rte_tm_node_suspend)
CHANGES(rte_tm_node_wfq_weight_mode_update)
CHANGES(rte_tm_node_wred_context_update)
CHANGES(rte_tm_shaper_profile_add)
CHANGES(rte_tm_shaper_profile_delete)
CHANGES(rte_tm_shared_shaper_add_update)
CHANGES(rte_tm_shared_shaper_delete)
CHANGES(rte_tm_shared_wred_context_add_update)
CHANGES(rte_tm_shared_wred_context_delete)
CHANGES(rte_tm_wred_profile_add)
CHANGES(rte_tm_wred_profile_delete)

READS(rte_eth_buffer_split_get_supported_hdr_ptypes)
READS(rte_eth_cman_config_get)
READS(rte_eth_cman_config_init)
READS(rte_eth_cman_info_get)
READS(rte_eth_dev_count_aggr_ports)
READS(rte_eth_dev_flow_ctrl_get)
READS(rte_eth_dev_fw_version_get)
READS(rte_eth_dev_get_dcb_info)
READS(rte_eth_dev_get_eeprom)
READS(rte_eth_dev_get_eeprom_length)
READS(rte_eth_dev_get_module_eeprom)
READS(rte_eth_dev_get_module_info)
READS(rte_eth_dev_get_reg_info)
READS(rte_eth_dev_get_reg_info_ext)
READS(rte_eth_dev_get_supported_ptypes)
READS(rte_eth_dev_hairpin_capability_get)
READS(rte_eth_dev_info_get)
READS(rte_eth_dev_is_removed)
READS(rte_eth_dev_pool_ops_supported)
READS(rte_eth_dev_priority_flow_ctrl_queue_info_get)
READS(rte_eth_dev_priv_dump)
READS(rte_eth_dev_rss_hash_conf_get)
READS(rte_eth_dev_rss_reta_query)
READS(rte_eth_fec_get)
READS(rte_eth_fec_get_capability)
READS(rte_eth_get_queue_rate_limit)
READS(rte_eth_hairpin_get_peer_ports)
READS(rte_eth_ip_reassembly_capability_get)
READS(rte_eth_ip_reassembly_conf_get)
READS(rte_eth_link_get)
READS(rte_eth_link_get_nowait)
READS(rte_eth_read_clock)
READS(rte_eth_recycle_rx_queue_info_get)
READS(rte_eth_representor_info_get)
READS(rte_eth_rx_avail_thresh_query)
READS(rte_eth_rx_burst_mode_get)
READS(rte_eth_rx_descriptor_dump)
READS(rte_eth_rx_queue_info_get)
READS(rte_eth_speed_lanes_get)
READS(rte_eth_speed_lanes_get_capability)
READS(rte_eth_stats_get)
READS(rte_eth_timesync_read_rx_timestamp)
READS(rte_eth_timesync_read_time)
READS(rte_eth_timesync_read_tx_timestamp)
READS(rte_eth_tx_burst_mode_get)
READS(rte_eth_tx_descriptor_dump)
READS(rte_eth_tx_queue_info_get)
READS(rte_eth_xstats_get)
READS(rte_eth_xstats_get_by_id)
READS(rte_eth_xstats_get_id_by_name)
READS(rte_eth_xstats_get_names)
READS(rte_eth_xstats_get_names_by_id)
READS(rte_eth_xstats_query_state)
READS(rte_flow_action_handle_query)
READS(rte_flow_calc_encap_hash)
READS(rte_flow_calc_table_hash)
READS(rte_flow_dev_dump)
READS(rte_flow_get_aged_flows)
READS(rte_flow_info_get)
READS(rte_flow_query)
READS(rte_flow_validate)
READS(rte_mtr_capabilities_get)
READS(rte_mtr_color_in_protocol_get)
READS(rte_mtr_color_in_protocol_priority_get)
READS(rte_mtr_meter_policy_get)
READS(rte_mtr_meter_policy_validate)
READS(rte_mtr_meter_profile_get)
READS(rte_mtr_stats_read)
READS(rte_tm_capabilities_get)
READS(rte_tm_get_number_of_leaf_nodes)
READS(rte_tm_level_capabilities_get)
READS(rte_tm_node_capabilities_get)
READS(rte_tm_node_query)
READS(rte_tm_node_stats_read)
READS(rte_tm_node_type_get)
