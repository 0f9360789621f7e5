import { expect } from 'vitest'

// The header rows as the shops write them (Shopify's admin; WooCommerce's reports and its Customer / Order / Coupon Export).
export const shopifyCustomers =
  'Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,Default Address Address2,Default Address City,Default Address Province Code,Default Address Country Code,Default Address Zip,Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags'
export const shopifyOrders =
  'Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,Billing Name,Billing Street,Billing Address1,Billing Address2,Billing Company,Billing City,Billing Zip,Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,Shipping Address1,Shipping Address2,Shipping Company,Shipping City,Shipping Zip,Shipping Province,Shipping Country,Shipping Phone,Notes,Note Attributes,Cancelled at,Payment Method,Payment Reference,Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level,Source,Lineitem discount,Tax 1 Name,Tax 1 Value,Tax 2 Name,Tax 2 Value,Tax 3 Name,Tax 3 Value,Tax 4 Name,Tax 4 Value,Tax 5 Name,Tax 5 Value,Phone,Receipt Number,Duties,Billing Province Name,Shipping Province Name,Payment ID,Payment Terms Name,Next Payment Due At,Payment References'
export const wooCustomers =
  'customer_id,first_name,last_name,user_login,email,user_pass,date_registered,billing_first_name,billing_last_name,billing_company,billing_email,billing_phone,billing_address_1,billing_address_2,billing_postcode,billing_city,billing_state,billing_country'
export const wooReport =
  'Name,Username,Last Active,Sign Up,Email,Orders,Total Spend,AOV,Country / Region,City,Region,Postal Code'
export const wooOrders =
  'order_id,order_number,order_date,paid_date,status,shipping_total,shipping_tax_total,fee_total,tax_total,discount_total,order_total,refunded_total,order_currency,payment_method,shipping_method,customer_id,billing_first_name,billing_last_name,billing_email,billing_phone,line_items,coupon_items'
/** Those of the Import Export Suite, whose files have as many columns of products as the longest order. */
export const wooSuiteOrders = wooOrders.replace('line_items', 'line_item_1,line_item_2')
export const wooSuiteUsers =
  'ID,customer_id,user_login,user_pass,user_nicename,user_email,user_registered,display_name,first_name,last_name,roles,session_tokens,billing_company,billing_email,billing_phone,billing_address_1,billing_city,billing_postcode,billing_state,billing_country'

export type Cells = Record<string, string | number>
/** A file with these columns; cells that are not named are empty, as in a shop's export. */
export function file(header: string, rows: readonly Cells[]): string {
  const names = header.split(',')
  const cell = (text: string | number = '') =>
    /[",\n]/.test(String(text)) ? `"${String(text).replaceAll('"', '""')}"` : String(text)
  for (const name of rows.flatMap((row) => Object.keys(row))) expect(names).toContain(name)
  return [header, ...rows.map((row) => names.map((name) => cell(row[name])).join(','))].join('\n') + '\n'
}

export const tea: Cells = {
  'Lineitem quantity': 2,
  'Lineitem name': 'Tea - 100 g',
  'Lineitem price': '9.90',
  'Lineitem sku': 'TEA-100',
  Vendor: 'Blatt & Söhne',
  'Created at': '2024-05-01 09:58:12 +0200',
}
export const mug: Cells = {
  ...tea,
  'Lineitem quantity': 1,
  'Lineitem name': 'Mug',
  'Lineitem price': '12.00',
  'Lineitem sku': 'MUG',
}
export const order = (id: number, more: Cells = {}): Cells => ({
  Name: `#${String(id)}`,
  Id: id,
  Email: `k${String(id)}@fjörd.example`,
  'Financial Status': 'paid',
  'Fulfillment Status': 'fulfilled',
  Currency: 'EUR',
  Subtotal: '31.80',
  Shipping: '4.90',
  Taxes: '5.86',
  Total: '36.70',
  'Discount Code': 'MAI',
  'Discount Amount': '3.00',
  Source: 'web',
  ...tea,
  ...more,
})
export const furtherLine = (id: number, more: Cells = mug): Cells => ({ Name: `#${String(id)}`, ...more })
