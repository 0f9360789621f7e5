import type { CsvColumn } from '../../../../lib/csv/detect.ts'
import type { Column, Format, Import, Meaning } from '../../contract.ts'
import { guessMeanings } from '../meanings.ts'

/**
 * Exports of shops by the header rows that they are known for: Shopify's customers and orders (its help centre, “Customer CSV file” and “Exporting orders”),
 * WooCommerce's reports (the columns of its Analytics), its Customer / Order / Coupon Export and its Import Export Suite (woocommerce.com, the documentation
 * of the extensions and of their import). Columns are told by their names alone, in whatever order; a shop that adds columns is still known.
 */
interface Shape {
  /** Columns without which it is something else. */
  needs: readonly string[]
  says: string
  rows: Format['rows']
  /** Nothing else is read: the rest is of accounts and not of people. */
  only?: true
  /** Meanings by name of column; of a file of orders all others are left out, because the order's own event says them. */
  means: Readonly<Record<string, Meaning>>
}

const identifier = (type: string): Meaning => ({ kind: 'identifier', type })
const trait = (name: string): Meaning => ({ kind: 'trait', name })
const ignore: Meaning = { kind: 'ignore' }
const asOrders =
  'All lines of an order become one event with its products, as the shop’s webhook says it and under the same id.'

const shapes: readonly Shape[] = [
  {
    needs: ['Name', 'Email', 'Financial Status', 'Total', 'Created at', 'Lineitem quantity', 'Lineitem name', 'Id'],
    says: `This looks like Shopify’s export of orders. ${asOrders}`,
    rows: 'shopify-orders',
    means: { email: identifier('email') },
  },
  {
    needs: ['First Name', 'Last Name', 'Email', 'Accepts Email Marketing', 'Total Spent', 'Total Orders'],
    says: 'This looks like Shopify’s export of customers.',
    rows: 'people',
    means: {
      'customer id': identifier('shopify_customer_id'),
      email: identifier('email'),
      phone: identifier('phone'),
      'first name': trait('firstName'),
      'last name': trait('lastName'),
      'default address company': trait('company'),
      'default address address1': trait('address.street'),
      'default address address2': ignore,
      'default address city': trait('address.city'),
      'default address province code': trait('address.state'),
      'default address country code': trait('address.country'),
      'default address zip': trait('address.postalCode'),
      'default address phone': ignore,
      'total spent': trait('totalSpent'),
      'total orders': trait('totalOrders'),
      note: ignore,
    },
  },
  {
    needs: ['order_id', 'order_number', 'status', 'order_total', 'billing_email'],
    says: `This looks like WooCommerce’s export of orders. ${asOrders}`,
    rows: 'woocommerce-orders',
    means: { billing_email: identifier('email') },
  },
  {
    needs: ['customer_id', 'email', 'date_registered', 'billing_email', 'billing_postcode'],
    says: 'This looks like WooCommerce’s export of customers.',
    rows: 'people',
    means: {
      customer_id: identifier('woocommerce_customer_id'),
      email: identifier('email'),
      billing_phone: identifier('phone'),
      first_name: trait('firstName'),
      last_name: trait('lastName'),
      date_registered: trait('customerSince'),
      billing_company: trait('company'),
      billing_address_1: trait('address.street'),
      billing_city: trait('address.city'),
      billing_state: trait('address.state'),
      billing_postcode: trait('address.postalCode'),
      billing_country: trait('address.country'),
      ...Object.fromEntries(
        [
          'user_login',
          'user_pass',
          ...['first_name', 'last_name', 'full_name', 'email', 'address_2'].map((name) => `billing_${name}`),
          ...['first_name', 'last_name', 'full_name', 'company', 'phone', 'address_1', 'address_2'].map(
            (name) => `shipping_${name}`,
          ),
          ...['postcode', 'city', 'state', 'country'].map((name) => `shipping_${name}`),
        ].map((name) => [name, ignore]),
      ),
    },
  },
  {
    needs: ['customer_id', 'user_login', 'user_email', 'user_registered', 'billing_email'],
    says: 'This looks like WooCommerce’s export of users.',
    rows: 'people',
    only: true,
    means: {
      customer_id: identifier('woocommerce_customer_id'),
      user_email: identifier('email'),
      billing_phone: identifier('phone'),
      first_name: trait('firstName'),
      last_name: trait('lastName'),
      user_registered: trait('customerSince'),
      billing_company: trait('company'),
      billing_address_1: trait('address.street'),
      billing_city: trait('address.city'),
      billing_state: trait('address.state'),
      billing_postcode: trait('address.postalCode'),
      billing_country: trait('address.country'),
    },
  },
  {
    needs: ['Name', 'Username', 'Last Active', 'Sign Up', 'Email', 'Total Spend', 'AOV'],
    says: 'This looks like WooCommerce’s report of customers.',
    rows: 'people',
    means: {
      email: identifier('email'),
      name: trait('name'),
      username: ignore,
      'last active': trait('lastActive'),
      'sign up': trait('customerSince'),
      orders: trait('totalOrders'),
      'total spend': trait('totalSpent'),
      aov: ignore,
      'country / region': trait('address.country'),
      city: trait('address.city'),
      region: trait('address.state'),
      'postal code': trait('address.postalCode'),
    },
  },
  {
    needs: ['Date', 'Order #', 'Status', 'Customer', 'Customer type', 'Product(s)'],
    says: 'This looks like WooCommerce’s report of orders. It has neither e-mail addresses nor the orders’ ids, so nobody can be told from it: hand in the export of orders instead.',
    rows: 'people',
    // A name is no identifier: two people have it.
    means: { customer: ignore, 'order #': ignore },
  },
]

const plain = (name: string) => name.trim().toLowerCase()

function shapeWith(columns: readonly Pick<Column, 'name'>[]): Shape | undefined {
  const names = new Set(columns.map(({ name }) => plain(name)))
  return shapes.find(({ needs }) => needs.every((name) => names.has(plain(name))))
}

/** What a file with these columns is known as; null when it is nobody's. */
export function looksLike(columns: readonly Pick<Column, 'name'>[]): Import['looksLike'] {
  const shape = shapeWith(columns)
  return shape === undefined ? null : { says: shape.says, rows: shape.rows }
}

/** What the columns mean: by the shop whose export it is, else guessed by name. No column is consent without a topic that a person chose. */
export function meaningsOf(columns: readonly CsvColumn[]): Column[] {
  const shape = shapeWith(columns)
  const guessed = guessMeanings(columns)
  if (shape === undefined) return guessed
  return guessed.map((column) => {
    const means =
      shape.means[plain(column.name)] ?? (shape.rows === 'people' && shape.only !== true ? undefined : ignore)
    if (means === undefined) return column
    return { ...column, meaning: means, type: typeOf(means, column.type) }
  })
}

/** Numbers of customers and postcodes are no numbers, and an address is one even where the first rows have none. */
function typeOf(meaning: Meaning, type: Column['type']): Column['type'] {
  if (meaning.kind === 'identifier') return meaning.type === 'email' || meaning.type === 'phone' ? meaning.type : 'text'
  return meaning.kind === 'trait' && meaning.name.startsWith('address.') ? 'text' : type
}
